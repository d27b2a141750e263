import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.kafka.CloudEventDeserializer;
import io.cloudevents.kafka.CloudEventSerializer;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A warehouse that has everything and a payment service that takes every payment, over Kafka. Usage: Connector */
public final class Connector {
  record Reply(String name, Map<String, Object> data) {}

  static final Map<String, String> ENV = System.getenv();
  static final String BROKERS = ENV.getOrDefault("KAFKA", "127.0.0.1:29092");
  static final ObjectMapper JSON = new ObjectMapper();

  /** The reply to a request; null for an event that asks nothing. */
  static Reply answer(CloudEvent request) throws Exception {
    JsonNode data = JSON.readTree(request.getData().toBytes());
    return switch (request.getType()) {
      case "dev.mayfly.inventory.reservation_requested.v1" -> new Reply("inventory.reserved", Map.of("reservation_id", data.get("reservation_id")));
      case "dev.mayfly.payment.authorization_requested.v1" -> new Reply("payment.authorized", money(data));
      case "dev.mayfly.payment.capture_requested.v1" -> new Reply("payment.captured", money(data));
      default -> null;
    };
  }

  static Map<String, Object> money(JsonNode data) {
    return Map.of("session_id", data.get("session_id"), "reference", "example-" + data.get("session_id").asText(),
        "amount_minor", data.get("amount_minor"), "currency", data.get("currency"));
  }

  public static void main(String[] args) throws Exception {
    Map<String, Object> reading = Map.of("bootstrap.servers", BROKERS, "group.id", "example-connector-java", "auto.offset.reset", "earliest",
        "isolation.level", "read_committed", "enable.auto.commit", false);
    Map<String, Object> writing = Map.of("bootstrap.servers", BROKERS, "acks", "all", "enable.idempotence", true);
    try (var consumer = new KafkaConsumer<>(reading, new StringDeserializer(), new CloudEventDeserializer());
         var producer = new KafkaProducer<>(writing, new StringSerializer(), new CloudEventSerializer())) {
      consumer.subscribe(List.of(ENV.getOrDefault("EVENTS", "checkout.events.v1")));
      while (true) {
        for (ConsumerRecord<String, CloudEvent> record : consumer.poll(Duration.ofSeconds(1))) {
          Reply reply = answer(record.value());
          if (reply == null) continue;
          // The request's id: a request that is answered twice is one command to Mayfly.
          CloudEvent event = CloudEventBuilder.v1().withId(record.value().getId()).withSource(URI.create("/example/connector"))
              .withType("dev.mayfly." + reply.name + ".v1").withData("application/json", JSON.writeValueAsBytes(reply.data)).build();
          producer.send(new ProducerRecord<>(ENV.getOrDefault("COMMANDS", "checkout.commands.v1"), record.key(), event)).get();
          System.out.println(record.key() + " " + reply.name);
        }
        consumer.commitSync(); // after the replies are durable
      }
    }
  }
}
