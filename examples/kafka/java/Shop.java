import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.kafka.CloudEventDeserializer;
import io.cloudevents.kafka.CloudEventSerializer;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A cart from its creation to its order, over Kafka. Usage: Shop [CART] */
public final class Shop {
  record Command(String name, Object data) {}

  static final Map<String, String> ENV = System.getenv();
  static final String BROKERS = ENV.getOrDefault("KAFKA", "127.0.0.1:29092");
  static final String COMMANDS = ENV.getOrDefault("COMMANDS", "checkout.commands.v1");
  static final String EVENTS = ENV.getOrDefault("EVENTS", "checkout.events.v1");
  static final List<Command> PURCHASE = List.of(
      new Command("cart.create", Map.of("currency", "GBP")),
      new Command("cart.add_line", Map.of("sku", "TEA", "quantity", 2, "unit_price_minor", 499)),
      new Command("cart.add_line", Map.of("sku", "MUG", "quantity", 1, "unit_price_minor", 850)),
      new Command("checkout.complete", Map.of("expected_total_minor", 1848, "payment", Map.of("provider", "example", "token", "tok_1"))));
  static final Set<String> ENDS = Set.of("dev.mayfly.order.placed.v1", "dev.mayfly.checkout.reopened.v1", "dev.mayfly.command.rejected.v1");

  public static void main(String[] args) throws Exception {
    String cart = args.length > 0 ? args[0] : UUID.randomUUID().toString();
    Map<String, Object> reading = Map.of("bootstrap.servers", BROKERS, "isolation.level", "read_committed");
    Map<String, Object> writing = Map.of("bootstrap.servers", BROKERS, "acks", "all", "enable.idempotence", true);
    try (var consumer = new KafkaConsumer<>(reading, new StringDeserializer(), new CloudEventDeserializer());
         var producer = new KafkaProducer<>(writing, new StringSerializer(), new CloudEventSerializer())) {
      // From the end of each partition, and that before the first command: the answer cannot come first.
      List<TopicPartition> places = consumer.partitionsFor(EVENTS).stream().map(p -> new TopicPartition(EVENTS, p.partition())).toList();
      consumer.assign(places);
      consumer.endOffsets(places).forEach(consumer::seek);
      for (Command command : PURCHASE) {
        CloudEvent event = CloudEventBuilder.v1().withId(UUID.randomUUID().toString()).withSource(URI.create("/example/shop"))
            .withType("dev.mayfly." + command.name + ".v1").withData("application/json", new ObjectMapper().writeValueAsBytes(command.data)).build();
        producer.send(new ProducerRecord<>(COMMANDS, cart, event)).get();
      }
      for (CloudEvent event = null; event == null || !ENDS.contains(event.getType());) {
        for (var record : consumer.poll(Duration.ofSeconds(1))) {
          if (!cart.equals(record.key())) continue;
          event = record.value();
          System.out.println(event.getType() + " " + new String(event.getData().toBytes()));
          if (ENDS.contains(event.getType())) break;
        }
      }
    }
  }
}
