// Gets a task with grpc-go, for benches/calls. Arguments: the server's address and the task's uuid. For each line on the
// standard input, of a number and milliseconds, it makes so many calls at once until so much time has passed, and
// prints how many it has made.
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/proto"

	automationv1 "eset-protect/proto/eset/dotnod/automation/v1"
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

func main() {
	encoding.RegisterCodec(codec{})
	address, uuid := os.Args[1], os.Args[2]
	connection, err := grpc.Dial(address, grpc.WithInsecure())
	if err != nil {
		panic(err)
	}
	stub := automationv1.NewDeviceTasksClient(connection)
	call := func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		response, err := stub.GetTask(ctx, &automationv1.GetTaskRequest{TaskUuid: uuid})
		if err != nil || response.Task.Uuid != uuid {
			panic(fmt.Sprint("expected the task, found ", response, err))
		}
	}
	for {
		var size, millis int
		if _, err := fmt.Scan(&size, &millis); err != nil {
			return
		}
		started, calls := time.Now(), 0
		for calls == 0 || time.Since(started) < time.Duration(millis)*time.Millisecond {
			batch(size, call)
			calls += size
		}
		fmt.Println(calls)
	}
}

// Makes a number of calls at once.
func batch(size int, call func()) {
	if size == 1 {
		call()
		return
	}
	var calls sync.WaitGroup
	calls.Add(size)
	for i := 0; i < size; i++ {
		go func() {
			defer calls.Done()
			call()
		}()
	}
	calls.Wait()
}
