// Package records turns CloudEvents into records of franz-go and back: Go's CloudEvents SDK has no binding for this client.
package records

import (
	"encoding/json"
	"log"
	"os"
	"strings"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding/spec"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	Brokers  = variable("KAFKA", "127.0.0.1:29092")
	Commands = variable("COMMANDS", "checkout.commands.v1")
	Events   = variable("EVENTS", "checkout.events.v1")
	version  = spec.WithPrefix("ce_").Version("1.0")
)

// Settings of every client. Its own defaults are acks=all, idempotent writes, and Java's partitions (murmur2).
func Settings() []kgo.Opt {
	return []kgo.Opt{kgo.SeedBrokers(Brokers), kgo.FetchIsolationLevel(kgo.ReadCommitted())}
}

// Command is a record in structured mode.
func Command(cart, id, source, name string, data any) *kgo.Record {
	event := cloudevents.NewEvent()
	event.SetID(id)
	event.SetSource(source)
	event.SetType("dev.mayfly." + name + ".v1")
	Must(event.SetData(cloudevents.ApplicationJSON, data))
	value, err := json.Marshal(event)
	Must(err)
	header := kgo.RecordHeader{Key: "content-type", Value: []byte(cloudevents.ApplicationCloudEventsJSON)}
	return &kgo.Record{Topic: Commands, Key: []byte(cart), Value: value, Headers: []kgo.RecordHeader{header}}
}

// Event is a record in binary mode, as Mayfly writes them.
func Event(record *kgo.Record) cloudevents.Event {
	event := cloudevents.NewEvent()
	Must(event.SetData(cloudevents.ApplicationJSON, record.Value))
	for _, header := range record.Headers {
		if strings.HasPrefix(header.Key, "ce_") && header.Key != "ce_specversion" {
			Must(version.SetAttribute(event.Context, header.Key, string(header.Value)))
		}
	}
	return event
}

// Must ends the program on an error.
func Must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func variable(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
