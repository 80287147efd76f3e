// Calls a server from Go: google.golang.org/grpc with code generated as proto/README.md says.
//
// Environment: ADDRESS and TOKEN of the server, which is an emulator or a bridge.
package interop

import (
	"context"
	"os"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"eset-protect/proto/Era/Common/DataDefinition/Task/ESS"
	automationv1 "eset-protect/proto/eset/dotnod/automation/v1"
	policiesv2 "eset-protect/proto/eset/dotnod/policy_management/v2"
)

// The codec of Debian's grpc 1.33 is older than the generated code.
type codec struct{}

func (codec) Marshal(message interface{}) ([]byte, error) {
	return proto.Marshal(message.(proto.Message))
}

func (codec) Unmarshal(data []byte, message interface{}) error {
	return proto.Unmarshal(data, message.(proto.Message))
}

func (codec) Name() string { return "proto" }

func init() { encoding.RegisterCodec(codec{}) }

const missing = "0b7f0000-0000-4000-8000-000000000000"

func start(t *testing.T, more ...string) (context.Context, automationv1.DeviceTasksClient) {
	ctx, connection := connect(t, more...)
	return ctx, automationv1.NewDeviceTasksClient(connection)
}

func connect(t *testing.T, more ...string) (context.Context, *grpc.ClientConn) {
	connection, err := grpc.Dial(os.Getenv("ADDRESS"), grpc.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(func() {
		cancel()
		connection.Close()
	})
	ctx = metadata.AppendToOutgoingContext(ctx, append(more, "authorization", "Bearer "+os.Getenv("TOKEN"))...)
	return ctx, connection
}

func expect(t *testing.T, err error, code codes.Code) *status.Status {
	t.Helper()
	if status.Code(err) != code {
		t.Fatalf("expected %v, found %v", code, err)
	}
	return status.Convert(err)
}

func TestAPackedAnyComesBack(t *testing.T) {
	ctx, tasks := start(t)
	clean := false
	scan := &taskess.OnDemandScan{
		ScanProfile:     taskess.OnDemandScan_Smart.Enum(),
		ScanTargets:     []string{`C:\Ünï`},
		CleaningEnabled: &clean,
	}
	params, err := anypb.New(scan)
	if err != nil {
		t.Fatal(err)
	}
	created, err := tasks.CreateTask(ctx, &automationv1.CreateTaskRequest{Task: &automationv1.DeviceTask{
		DisplayName: "of Go",
		Action:      &automationv1.Action{Name: "OnDemandScan", Params: params},
		Targets:     &automationv1.DeviceTaskTargets{DevicesUuids: []string{"123e4567-e89b-12d3-a456-426614174000"}},
		Triggers:    []*automationv1.Trigger{{Kind: &automationv1.Trigger_Manual{Manual: &automationv1.ManualTrigger{}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	uuid := created.Task.Uuid
	read, err := tasks.GetTask(ctx, &automationv1.GetTaskRequest{TaskUuid: uuid}, grpc.UseCompressor("gzip"))
	if err != nil || !proto.Equal(read.Task, created.Task) {
		t.Fatal(err, read)
	}
	unpacked, err := read.Task.Action.Params.UnmarshalNew()
	if err != nil || !proto.Equal(unpacked, scan) {
		t.Fatal(err, unpacked)
	}
	if _, err := tasks.DeleteTask(ctx, &automationv1.DeleteTaskRequest{TaskUuid: uuid}); err != nil {
		t.Fatal(err)
	}
	_, err = tasks.GetTask(ctx, &automationv1.GetTaskRequest{TaskUuid: uuid})
	expect(t, err, codes.NotFound)
}

func TestPagesAreTheWholeList(t *testing.T) {
	ctx, connection := connect(t)
	policies := policiesv2.NewPoliciesClient(connection)
	whole, err := policies.ListPolicies(ctx, &policiesv2.ListPoliciesRequest{PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	found := &policiesv2.ListPoliciesResponse{}
	for request := (&policiesv2.ListPoliciesRequest{PageSize: 2}); ; {
		page, err := policies.ListPolicies(ctx, request)
		if err != nil || len(page.Policies) > 2 {
			t.Fatal(err, page)
		}
		found.Policies = append(found.Policies, page.Policies...)
		request.PageToken = page.NextPageToken
		if request.PageToken == "" {
			break
		}
	}
	if len(found.Policies) <= 2 || !proto.Equal(found, whole) {
		t.Fatalf("%d policies in pages, %d in one", len(found.Policies), len(whole.Policies))
	}
}

func TestCodesAndDetailsArrive(t *testing.T) {
	ctx, tasks := start(t)
	_, err := tasks.GetTask(ctx, &automationv1.GetTaskRequest{TaskUuid: missing})
	var name string
	for _, detail := range expect(t, err, codes.NotFound).Details() {
		if resource, ok := detail.(*errdetails.ResourceInfo); ok {
			name = resource.ResourceName
		}
	}
	if name != missing {
		t.Fatalf("no google.rpc.ResourceInfo of %s in %v", missing, err)
	}
}

func TestDeadlinesAndCancellationEndCalls(t *testing.T) {
	ctx, tasks := start(t, "x-emulator-fault", "delay=600000")
	late, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	defer stop()
	_, err := tasks.ListTasks(late, &automationv1.ListTasksRequest{})
	expect(t, err, codes.DeadlineExceeded)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = tasks.ListTasks(cancelled, &automationv1.ListTasksRequest{})
	expect(t, err, codes.Canceled)
}
