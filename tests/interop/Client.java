// Calls a server from Java: grpc-java with code generated as proto/README.md says.
//
// Environment: ADDRESS and TOKEN of the server, which is an emulator or a bridge.

import com.google.protobuf.Any;
import com.google.rpc.ResourceInfo;
import era.common.datadefinition.task.ess.OnDemandScan;
import eset.dotnod.automation.v1.*;
import eset.dotnod.automation.v1.DeviceTasksGrpc.DeviceTasksBlockingStub;
import eset.dotnod.policymanagement.v2.ListPoliciesRequest;
import eset.dotnod.policymanagement.v2.PoliciesGrpc;
import eset.dotnod.policymanagement.v2.Policy;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

final class Client {
    static final String MISSING = "0b7f0000-0000-4000-8000-000000000000";

    static final ManagedChannel CHANNEL =
            ManagedChannelBuilder.forTarget(System.getenv("ADDRESS")).usePlaintext().build();
    static final Channel SERVER = with(CHANNEL, "authorization", "Bearer " + System.getenv("TOKEN"));
    static final DeviceTasksBlockingStub TASKS =
            DeviceTasksGrpc.newBlockingStub(SERVER).withDeadlineAfter(30, TimeUnit.SECONDS);

    /** A channel that adds a header to each call. */
    static Channel with(Channel channel, String name, String value) {
        var headers = new Metadata();
        headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
        return ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    interface Case {
        void run() throws Exception;
    }

    static void equal(Object found, Object expected) {
        if (!Objects.equals(found, expected)) {
            throw new AssertionError("expected " + expected + ", found " + found);
        }
    }

    /** The error that ends a call, which must have this code. */
    static Throwable refused(Status.Code code, Case call) {
        try {
            call.run();
        } catch (Exception error) {
            equal(Status.fromThrowable(error).getCode(), code);
            return error;
        }
        throw new AssertionError("expected " + code + ", found a response");
    }

    static void aPackedAnyComesBack() throws Exception {
        var scan = OnDemandScan.newBuilder()
                .setScanProfile(OnDemandScan.ScanProfile.Smart)
                .addScanTargets("C:\\Ünï")
                .setCleaningEnabled(false)
                .build();
        var task = DeviceTask.newBuilder()
                .setDisplayName("of Java")
                .setAction(Action.newBuilder().setName("OnDemandScan").setParams(Any.pack(scan)))
                .setTargets(DeviceTaskTargets.newBuilder().addDevicesUuids("123e4567-e89b-12d3-a456-426614174000"))
                .addTriggers(Trigger.newBuilder().setManual(ManualTrigger.getDefaultInstance()));
        var created = TASKS.withCompression("gzip")
                .createTask(CreateTaskRequest.newBuilder().setTask(task).build())
                .getTask();
        var get = GetTaskRequest.newBuilder().setTaskUuid(created.getUuid()).build();
        var read = TASKS.getTask(get).getTask();
        equal(read, created);
        equal(read.getAction().getParams().unpack(OnDemandScan.class), scan);
        TASKS.deleteTask(DeleteTaskRequest.newBuilder().setTaskUuid(created.getUuid()).build());
        refused(Status.Code.NOT_FOUND, () -> TASKS.getTask(get));
    }

    static void pagesAreTheWholeList() {
        var policies = PoliciesGrpc.newBlockingStub(SERVER).withDeadlineAfter(30, TimeUnit.SECONDS);
        var whole = policies.listPolicies(ListPoliciesRequest.newBuilder().setPageSize(1000).build());
        List<Policy> found = new ArrayList<>();
        var request = ListPoliciesRequest.newBuilder().setPageSize(2);
        do {
            var page = policies.listPolicies(request.build());
            found.addAll(page.getPoliciesList());
            request.setPageToken(page.getNextPageToken());
        } while (!request.getPageToken().isEmpty());
        equal(found.size() > 2, true);
        equal(found, whole.getPoliciesList());
    }

    static void codesAndDetailsArrive() throws Exception {
        var get = GetTaskRequest.newBuilder().setTaskUuid(MISSING).build();
        var error = refused(Status.Code.NOT_FOUND, () -> TASKS.getTask(get));
        var detail = StatusProto.fromThrowable(error).getDetailsList().get(0);
        equal(detail.unpack(ResourceInfo.class).getResourceName(), MISSING);
    }

    static void deadlinesAndCancellationEndCalls() {
        var slow = with(SERVER, "x-emulator-fault", "delay=600000");
        var list = ListTasksRequest.getDefaultInstance();
        var hasty = DeviceTasksGrpc.newBlockingStub(slow).withDeadlineAfter(300, TimeUnit.MILLISECONDS);
        refused(Status.Code.DEADLINE_EXCEEDED, () -> hasty.listTasks(list));
        var tasks = DeviceTasksGrpc.newFutureStub(slow).withDeadlineAfter(30, TimeUnit.SECONDS);
        var context = Context.current().withCancellation();
        refused(Status.Code.CANCELLED, () -> {
            var call = context.call(() -> tasks.listTasks(list));
            context.cancel(null);
            call.get();
        });
    }

    public static void main(String[] arguments) throws Exception {
        var cases = List.<Case>of(
                Client::aPackedAnyComesBack,
                Client::pagesAreTheWholeList,
                Client::codesAndDetailsArrive,
                Client::deadlinesAndCancellationEndCalls);
        int failed = 0;
        for (var test : cases) {
            try {
                test.run();
            } catch (Exception | AssertionError error) {
                error.printStackTrace();
                failed++;
            }
        }
        CHANNEL.shutdownNow();
        System.out.println(cases.size() - failed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }
}
