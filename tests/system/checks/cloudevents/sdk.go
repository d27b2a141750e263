// Go's CloudEvents SDK over HTTP, as sdk.py: send FRONT CART, read CONTENT-TYPE.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

type object = map[string]any

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func send(front, cart string) {
	client, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(front+"/events"), cloudevents.WithHeader("Prefer", "wait=60"))
	must(err)
	for _, command := range []struct {
		mode func(context.Context) context.Context
		name string
		data object
	}{
		{binding.WithForceBinary, "cart.create", object{"currency": "GBP"}},
		{binding.WithForceStructured, "cart.add_line", object{"sku": "A", "quantity": 1, "unit_price_minor": 5}},
	} {
		event := cloudevents.NewEvent()
		event.SetID(cart + "-" + command.name)
		event.SetSource("/test/go")
		event.SetType("dev.mayfly." + command.name + ".v1")
		event.SetSubject(cart)
		must(event.SetData(cloudevents.ApplicationJSON, command.data))
		var answer *cehttp.Result
		if result := client.Send(command.mode(context.Background()), event); !cloudevents.ResultAs(result, &answer) {
			log.Fatal(result)
		}
		fmt.Println(answer.StatusCode)
	}
}

func read(contentType string) {
	request, err := http.NewRequest("POST", "/", os.Stdin)
	must(err)
	request.Header.Set("Content-Type", contentType)
	event, err := cloudevents.NewEventFromHTTPRequest(request)
	must(err)
	must(event.Validate())
	must(json.NewEncoder(os.Stdout).Encode(object{"id": event.ID(), "source": event.Source(), "type": event.Type(), "subject": event.Subject(),
		"time": event.Time().UTC().Format("2006-01-02T15:04:05"), "sequence": event.Extensions()["sequence"], "data": json.RawMessage(event.Data())}))
}

func main() {
	if os.Args[1] == "send" {
		send(os.Args[2], os.Args[3])
	} else {
		read(os.Args[2])
	}
}
