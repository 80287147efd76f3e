#!/usr/bin/env bash
# Calls a server from a shell: grpcurl, which knows the services by reflection alone, and curl over REST.
#
# Environment: URL and TOKEN of the server, and GRPCURL, the program.
set -euo pipefail

address=${URL#http://}
service=eset.dotnod.automation.v1.DeviceTasks
missing=0b7f0000-0000-4000-8000-000000000000
login=(-H "authorization: Bearer $TOKEN")
passed=0

# Checks that a text matches a pattern.
expect() {
  if [[ $1 != *$2* ]]; then
    printf 'expected %s in:\n%s\n' "$2" "$1" >&2
    exit 1
  fi
  passed=$((passed + 1))
}

grpcurl() { "$GRPCURL" -plaintext -max-time 30 "${login[@]}" "$@" 2>&1 || true; }
rest() { curl --silent --show-error --max-time 30 --path-as-is --include "${login[@]}" "$@"; }

expect "$(grpcurl "$address" list)" "$service"
expect "$(grpcurl "$address" list)" grpc.health.v1.Health
expect "$(grpcurl "$address" describe "$service.CreateTask")" '/v1/device_tasks'
expect "$(grpcurl "$address" describe no.Such)" 'Symbol not found'
expect "$(grpcurl "$address" grpc.health.v1.Health/Check)" SERVING

task='{"displayName": "of a shell", "triggers": [{"manual": {}}],
  "targets": {"devicesUuids": ["123e4567-e89b-12d3-a456-426614174000"]},
  "action": {"name": "OnDemandScan", "params": {
    "@type": "type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan", "scanProfile": "Smart"}}}'
created=$(grpcurl -d "{\"task\": $task}" "$address" "$service/CreateTask")
expect "$created" '"scanProfile":"Smart"'
uuid=$(sed -n 's/.*"uuid": "\(.*\)",/\1/p' <<<"$created")
answer=$(rest "$URL/v1/device_tasks/$uuid")
expect "$answer" '200 OK'
expect "$answer" '"scanProfile":"Smart"'
expect "$(rest -X DELETE "$URL/v1/device_tasks/$uuid")" '200 OK'
answer=$(grpcurl -d "{\"task_uuid\": \"$missing\"}" "$address" "$service/GetTask")
expect "$answer" 'Code: NotFound'
expect "$answer" google.rpc.ResourceInfo
answer=$(grpcurl -H 'x-emulator-fault: delay=600000' -max-time 1 "$address" "$service/ListTasks")
expect "$answer" 'DeadlineExceeded'

# HTTP as it may be sent.
tasks=$URL/v1/device_tasks
json=(-H 'content-type: application/json; charset=utf-8')
body="{\"task\": $task}"
expect "$(rest --http2-prior-knowledge "$tasks?pageSize=1")" 'HTTP/2 200'
expect "$(rest "${json[@]}" -H 'transfer-encoding: chunked' -d "$body" "$tasks")" '200 OK'
expect "$(rest "${json[@]}" -H 'expect: 100-continue' -d "$body" "$tasks")" '100 Continue'
expect "$(gzip <<<"$body" | rest "${json[@]}" -H 'content-encoding: gzip' --data-binary @- "$tasks")" '200 OK'
expect "$(rest "${json[@]}" -H 'content-encoding: br' -d "$body" "$tasks")" '415 '
expect "$(rest -H 'content-type: text/plain' -d "$body" "$tasks")" '415 '
expect "$(printf '\xef\xbb\xbf%s' "$body" | rest "${json[@]}" --data-binary @- "$tasks")" '400 '
expect "$(rest "${json[@]}" -d '{"task": ' "$tasks")" '400 '
expect "$(rest -X PATCH "$tasks")" 'allow: GET, POST'
expect "$(rest "$tasks?pageSize=1&pageSize=2")" '400 '
expect "$(rest "$tasks?pageSize=-1")" '400 '
expect "$(rest "$tasks?noSuchParameter=1")" '400 '
expect "$(rest "$tasks/")" '404 '
expect "$(rest "$URL//v1/device_tasks")" '404 '
expect "$(rest "$URL/v1/../v1/device_tasks")" '404 '
expect "$(rest "$URL/v1/device_tasks?page%53ize=1")" '200 OK'
expect "$(rest "$tasks/%zz")" '400 '
expect "$(rest -H 'accept: application/xml' "$tasks?pageSize=1")" '200 OK'
expect "$(rest -H 'grpc-timeout: soon' "$tasks")" '400 '
expect "$(rest -H 'grpc-timeout: 200m' -H 'x-emulator-fault: delay=600000' "$tasks")" '504 '
expect "$(rest "$tasks?pageToken=$(head -c 70000 /dev/zero | tr '\0' x)")" '414 '
expect "$(rest -H "x-large: $(head -c 70000 /dev/zero | tr '\0' x)" "$tasks")" '431 '
echo "$passed passed, 0 failed"
