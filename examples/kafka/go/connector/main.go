// A warehouse that has everything and a payment service that takes every payment, over Kafka. Usage: go run ./connector
package main

import (
	"context"
	"fmt"

	"dev.mayfly/example/records"
	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/twmb/franz-go/pkg/kgo"
)

type money struct {
	SessionID   string `json:"session_id"`
	Reference   string `json:"reference"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
}

// The reply to a request, and its data; an empty name for an event that asks nothing.
func answer(request cloudevents.Event) (string, any) {
	switch request.Type() {
	case "dev.mayfly.inventory.reservation_requested.v1":
		var reservation struct {
			ID string `json:"reservation_id"`
		}
		records.Must(request.DataAs(&reservation))
		return "inventory.reserved", reservation
	case "dev.mayfly.payment.authorization_requested.v1", "dev.mayfly.payment.capture_requested.v1":
		var payment money
		records.Must(request.DataAs(&payment))
		payment.Reference = "example-" + payment.SessionID
		if request.Type() == "dev.mayfly.payment.capture_requested.v1" {
			return "payment.captured", payment
		}
		return "payment.authorized", payment
	}
	return "", nil
}

func main() {
	client, err := kgo.NewClient(append(records.Settings(), kgo.ConsumeTopics(records.Events), kgo.ConsumerGroup("example-connector-go"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())...)
	records.Must(err)
	defer client.Close()
	ctx := context.Background()
	for {
		for _, record := range client.PollFetches(ctx).Records() {
			request := records.Event(record)
			name, data := answer(request)
			if name == "" {
				continue
			}
			// The request's id: a request that is answered twice is one command to Mayfly.
			reply := records.Command(string(record.Key), request.ID(), "/example/connector", name, data)
			records.Must(client.ProduceSync(ctx, reply).FirstErr())
			fmt.Println(request.Subject(), name)
		}
		records.Must(client.CommitUncommittedOffsets(ctx)) // after the replies are durable
	}
}
