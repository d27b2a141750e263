import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.core.message.MessageWriter;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Map;

/** Java's CloudEvents SDK over HTTP, as sdk.py: send FRONT CART, read CONTENT-TYPE. */
public final class Sdk {
  static final ObjectMapper JSON = new ObjectMapper();

  static void send(String front, String cart, String name, Map<String, Object> data, boolean structured) throws Exception {
    CloudEvent event = CloudEventBuilder.v1().withId(cart + "-" + name).withSource(URI.create("/test/java")).withSubject(cart)
        .withType("dev.mayfly." + name + ".v1").withTime(OffsetDateTime.now()).withData("application/json", JSON.writeValueAsBytes(data)).build();
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(front + "/events")).header("Prefer", "wait=60");
    MessageWriter<?, ?> writer = HttpMessageFactory.createWriter(request::header, body -> request.POST(HttpRequest.BodyPublishers.ofByteArray(body)));
    if (structured) writer.writeStructured(event, JsonFormat.CONTENT_TYPE);
    else writer.writeBinary(event);
    System.out.println(HttpClient.newHttpClient().send(request.build(), BodyHandlers.discarding()).statusCode());
  }

  static void read(String contentType) throws Exception {
    CloudEvent event = HttpMessageFactory.createReader(each -> each.accept("content-type", contentType), System.in.readAllBytes()).toEvent();
    System.out.println(JSON.writeValueAsString(Map.of("id", event.getId(), "source", event.getSource().toString(), "type", event.getType(), "subject", event.getSubject(),
        "time", event.getTime().withOffsetSameInstant(ZoneOffset.UTC).toString().substring(0, 19), "sequence", event.getExtension("sequence"),
        "data", JSON.readTree(event.getData().toBytes()))));
  }

  public static void main(String[] args) throws Exception {
    if (args[0].equals("read")) {
      read(args[1]);
      return;
    }
    send(args[1], args[2], "cart.create", Map.of("currency", "GBP"), false);
    send(args[1], args[2], "cart.add_line", Map.of("sku", "A", "quantity", 1, "unit_price_minor", 5), true);
  }
}
