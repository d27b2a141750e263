// A cart from its creation to its order, over Kafka. Usage: go run ./shop [CART]
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"dev.mayfly/example/records"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
)

type object = map[string]any

var purchase = []struct {
	name string
	data object
}{
	{"cart.create", object{"currency": "GBP"}},
	{"cart.add_line", object{"sku": "TEA", "quantity": 2, "unit_price_minor": 499}},
	{"cart.add_line", object{"sku": "MUG", "quantity": 1, "unit_price_minor": 850}},
	{"checkout.complete", object{"expected_total_minor": 1848, "payment": object{"provider": "example", "token": "tok_1"}}},
}

func main() {
	cart := uuid.NewString()
	if len(os.Args) > 1 {
		cart = os.Args[1]
	}
	// From now on, a little early for clocks that differ: the answer cannot come before we listen.
	from := kgo.NewOffset().AfterMilli(time.Now().Add(-time.Minute).UnixMilli())
	client, err := kgo.NewClient(append(records.Settings(), kgo.ConsumeTopics(records.Events), kgo.ConsumeResetOffset(from))...)
	records.Must(err)
	defer client.Close()
	ctx := context.Background()
	for _, command := range purchase {
		record := records.Command(cart, uuid.NewString(), "/example/shop", command.name, command.data)
		records.Must(client.ProduceSync(ctx, record).FirstErr())
	}
	for {
		for _, record := range client.PollFetches(ctx).Records() {
			if string(record.Key) != cart {
				continue
			}
			event := records.Event(record)
			fmt.Println(event.Type(), string(event.Data()))
			switch event.Type() {
			case "dev.mayfly.order.placed.v1":
				return
			case "dev.mayfly.checkout.reopened.v1", "dev.mayfly.command.rejected.v1":
				os.Exit(1)
			}
		}
	}
}
