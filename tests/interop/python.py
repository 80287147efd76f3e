"""Calls a server from Python: grpcio with code generated as proto/README.md says, on PYTHONPATH.

Environment: URL and TOKEN of the server, its ROLE, `emulator` or `bridge`, and PROGRAM, the command.
"""

import contextlib
import http.client
import http.server
import json
import os
import subprocess
import threading
import unittest
import urllib.parse

import grpc
from Era.Common.DataDefinition.Task.ESS.on_demand_scan_pb2 import OnDemandScan
from eset.dotnod.automation.v1.device_task_pb2 import Action, DeviceTask, DeviceTaskTargets, ManualTrigger, Trigger
from eset.dotnod.automation.v1.device_tasks_pb2 import (
    CreateTaskRequest,
    DeleteTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
)
from eset.dotnod.automation.v1.device_tasks_pb2_grpc import DeviceTasksStub
from eset.dotnod.policy_management.v2.policies_pb2 import ListPoliciesRequest
from eset.dotnod.policy_management.v2.policies_pb2_grpc import PoliciesStub
from google.protobuf import any_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2
from grpc import StatusCode
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse
from grpc_status import rpc_status

ADDRESS = urllib.parse.urlsplit(os.environ["URL"]).netloc
ROLE = os.environ["ROLE"]
LOGIN = ("authorization", f"Bearer {os.environ['TOKEN']}")
SERVICE = "eset.dotnod.automation.v1.DeviceTasks"
MISSING = "0b7f0000-0000-4000-8000-000000000000"
DEVICE = "123e4567-e89b-12d3-a456-426614174000"
# A call that takes longer is an error of its own.
PATIENCE = 30

channel = grpc.insecure_channel(ADDRESS)
stub = DeviceTasksStub(channel)


def call(method, request, *metadata, timeout=PATIENCE, **options):
    return method(request, timeout=timeout, metadata=(LOGIN, *metadata), **options)


def rest(method, path, body=None):
    with contextlib.closing(http.client.HTTPConnection(ADDRESS, timeout=PATIENCE)) as connection:
        connection.request(method, path, body, {"authorization": LOGIN[1], "content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


class Calls(unittest.TestCase):
    def fails(self, code, method, request, *metadata, **options):
        with self.assertRaises(grpc.RpcError) as raised:
            call(method, request, *metadata, **options)
        self.assertEqual(raised.exception.code(), code, raised.exception)
        return raised.exception

    def test_a_packed_any_comes_back(self):
        scan = OnDemandScan(scanProfile=OnDemandScan.Smart, scanTargets=["C:\\Ünï"], cleaningEnabled=False)
        params = any_pb2.Any()
        params.Pack(scan)
        task = DeviceTask(
            display_name="of Python",
            action=Action(name="OnDemandScan", params=params),
            targets=DeviceTaskTargets(devices_uuids=[DEVICE]),
            triggers=[Trigger(manual=ManualTrigger())],
        )
        created = call(stub.CreateTask, CreateTaskRequest(task=task)).task
        read = call(stub.GetTask, GetTaskRequest(task_uuid=created.uuid)).task
        self.assertEqual(read, created)
        unpacked = OnDemandScan()
        self.assertTrue(read.action.params.Unpack(unpacked), read)
        self.assertEqual(unpacked, scan)
        call(stub.DeleteTask, DeleteTaskRequest(task_uuid=created.uuid))
        self.fails(StatusCode.NOT_FOUND, stub.GetTask, GetTaskRequest(task_uuid=created.uuid))

    def test_pages_are_the_whole_list(self):
        policies = PoliciesStub(channel)
        whole = call(policies.ListPolicies, ListPoliciesRequest(page_size=1000))
        self.assertEqual(whole.next_page_token, "")
        found, token, has_more = [], "", True
        while has_more:
            page = call(policies.ListPolicies, ListPoliciesRequest(page_size=2, page_token=token))
            self.assertLessEqual(len(page.policies), 2)
            found.extend(page.policies)
            token = page.next_page_token
            has_more = bool(token)
        self.assertGreater(len(found), 2)
        self.assertEqual(found, list(whole.policies))

    def test_a_list_keeps_what_nobody_knows(self):
        params = {"@type": "type.googleapis.com/acme.v1.Unknown", "big": "18446744073709551615", "nested": [{"a": None}]}
        task = {
            "displayName": "unknown",
            "action": {"name": "Acme", "params": params},
            "targets": {"devicesUuids": [DEVICE]},
            "triggers": [{"manual": {}}],
        }
        status, answer = rest("POST", "/v1/device_tasks", json.dumps({"task": task}))
        self.assertEqual(status, 200, answer)
        uuid = answer["task"]["uuid"]
        listed = call(stub.ListTasks, ListTasksRequest(page_size=1000)).tasks
        (read,) = [task for task in listed if task.uuid == uuid]
        # What came over gRPC goes back over gRPC, and is read over REST.
        copy = DeviceTask(display_name="copy", action=read.action, targets=read.targets, triggers=read.triggers)
        copied = call(stub.CreateTask, CreateTaskRequest(task=copy)).task.uuid
        _, answer = rest("GET", f"/v1/device_tasks/{copied}")
        self.assertEqual(answer["task"]["action"]["params"], params)
        for one in (uuid, copied):
            call(stub.DeleteTask, DeleteTaskRequest(task_uuid=one))

    def test_codes_messages_and_details_arrive(self):
        codes = "INVALID_ARGUMENT PERMISSION_DENIED NOT_FOUND ALREADY_EXISTS ABORTED FAILED_PRECONDITION UNIMPLEMENTED"
        # Over REST these share their HTTP status with another code.
        shared = {"ALREADY_EXISTS": "ABORTED", "FAILED_PRECONDITION": "INVALID_ARGUMENT"} if ROLE == "bridge" else {}
        # The login is that of the bridge, which says so to its callers.
        codes += " UNAUTHENTICATED" if ROLE == "emulator" else ""
        for code in codes.split():
            fault = ("x-emulator-fault", f"code={code}; message=as asked, ~/%41")
            expected = StatusCode[shared.get(code, code)]
            error = self.fails(expected, stub.GetTask, GetTaskRequest(task_uuid=MISSING), fault)
            self.assertEqual(error.details(), "as asked, ~/%41")
            self.assertTrue(rpc_status.from_call(error).details, code)
        error = self.fails(StatusCode.NOT_FOUND, stub.GetTask, GetTaskRequest(task_uuid=MISSING))
        resource = error_details_pb2.ResourceInfo()
        self.assertTrue(any(detail.Unpack(resource) for detail in rpc_status.from_call(error).details), error)
        self.assertEqual(resource.resource_name, MISSING)

    @unittest.skipUnless(ROLE == "bridge", "the emulator does not retry")
    def test_attempts_do_not_multiply(self):
        """The upstream sees the attempts of the bridge alone, though this client retries, too."""
        arrived = []

        class Down(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                arrived.append(self.path)
                self.send_response(503)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        policy = {"maxAttempts": 4, "initialBackoff": "0.01s", "maxBackoff": "0.1s", "backoffMultiplier": 2}
        policy["retryableStatusCodes"] = ["UNAVAILABLE"]
        config = json.dumps({"methodConfig": [{"name": [{"service": SERVICE}], "retryPolicy": policy}]})
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Down) as upstream:
            threading.Thread(target=upstream.serve_forever).start()
            serve = [os.environ["PROGRAM"], "serve", "--listen", "127.0.0.1:0", "--max-attempts", "2", "--wire", "rest"]
            serve += ["--endpoint", f"http://127.0.0.1:{upstream.server_port}"]
            with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as bridge:
                try:
                    address = bridge.stdout.readline().rstrip().removeprefix("Listening on http://")
                    with grpc.insecure_channel(address, options=[("grpc.service_config", config)]) as retrying:
                        tasks = DeviceTasksStub(retrying)
                        error = self.fails(StatusCode.UNAVAILABLE, tasks.ListTasks, ListTasksRequest())
                finally:
                    bridge.terminate()
                    upstream.shutdown()
        self.assertEqual(dict(error.trailing_metadata())["grpc-retry-pushback-ms"], "-1")
        self.assertEqual(arrived, ["/v1/device_tasks"] * 2)

    def test_deadlines_and_cancellation_end_calls(self):
        slow = ("x-emulator-fault", "delay=600000")
        self.fails(StatusCode.DEADLINE_EXCEEDED, stub.ListTasks, ListTasksRequest(), slow, timeout=0.3)
        future = call(stub.ListTasks.future, ListTasksRequest(), slow)
        self.assertTrue(future.cancel())
        self.assertEqual(future.code(), StatusCode.CANCELLED)
        # The connection is as good as before.
        call(stub.ListTasks, ListTasksRequest(page_size=1))

    def test_messages_are_compressed_and_limited(self):
        for compression in grpc.Compression:
            tasks = call(stub.ListTasks, ListTasksRequest(page_size=1), compression=compression).tasks
            self.assertEqual(len(tasks), 1)
        large = ListTasksRequest(page_token="x" * (17 << 20))
        self.fails(StatusCode.RESOURCE_EXHAUSTED, stub.ListTasks, large)

    def test_metadata_comes_back(self):
        _, answer = stub.ListTasks.with_call(ListTasksRequest(page_size=1), metadata=(LOGIN, ("x-any-bin", bytes(range(256)))))
        self.assertTrue(dict(answer.initial_metadata()).get("request-id"), answer.initial_metadata())

    def test_reflection_describes_every_service(self):
        database = ProtoReflectionDescriptorDatabase(channel)
        services = database.get_services()
        self.assertLessEqual({SERVICE, "grpc.health.v1.Health"}, set(services))
        pool = DescriptorPool(database)
        described = [pool.FindServiceByName(service) for service in services if ".reflection." not in service]
        self.assertGreater(len(described), 15)

    def test_reflection_sends_all_imports_and_survives_an_unknown_symbol(self):
        for version in ("v1", "v1alpha"):
            ask = channel.stream_stream(
                f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                request_serializer=ServerReflectionRequest.SerializeToString,
                response_deserializer=ServerReflectionResponse.FromString,
            )
            questions = [ServerReflectionRequest(file_containing_symbol=symbol) for symbol in ("no.Such", SERVICE)]
            unknown, known = ask(iter(questions), timeout=PATIENCE)
            self.assertEqual(unknown.error_response.error_code, StatusCode.NOT_FOUND.value[0])
            files = [FileDescriptorProto.FromString(file) for file in known.file_descriptor_response.file_descriptor_proto]
            self.assertEqual({name for file in files for name in file.dependency} - {file.name for file in files}, set())

    def test_the_server_is_healthy(self):
        health = HealthStub(channel)
        for service in ("", SERVICE):
            answer = health.Check(HealthCheckRequest(service=service), timeout=PATIENCE)
            self.assertEqual(answer.status, HealthCheckResponse.SERVING)
        self.fails(StatusCode.NOT_FOUND, health.Check, HealthCheckRequest(service="no.Such"))
        watch = health.Watch(HealthCheckRequest(), timeout=PATIENCE)
        self.assertEqual(next(watch).status, HealthCheckResponse.SERVING)
        watch.cancel()


if __name__ == "__main__":
    unittest.main()
