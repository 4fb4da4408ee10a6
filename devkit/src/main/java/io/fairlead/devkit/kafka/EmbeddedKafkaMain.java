package io.fairlead.devkit.kafka;

import io.fairlead.devkit.process.LaunchException;
import io.fairlead.devkit.process.Options;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/**
 * A broker in a JVM of its own: {@code --data-dir D [--host H] [--port P] [--controller-port Q]
 * [--set name=value ...]}; of several brokers also {@code --cluster-id I --node-id N --voters
 * ID@HOST:PORT,...}. Prints one line {@code ready HOST:PORT} on standard output when it serves,
 * everything else on standard error; SIGTERM stops it cleanly. Exit status 2 for wrong options, 1
 * when it does not start.
 */
public final class EmbeddedKafkaMain {
  private EmbeddedKafkaMain() {}

  static void main(String[] args) throws InterruptedException {
    var out = System.out;
    System.setOut(
        System.err); // before the first logger exists: whoever started us reads one line only
    EmbeddedKafka.Config config;
    try {
      config = config(List.of(args));
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.exit(2);
      return;
    }
    EmbeddedKafka broker;
    try {
      broker = EmbeddedKafka.start(config);
    } catch (LaunchException e) {
      e.printStackTrace();
      System.exit(1);
      return;
    }
    var stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("stop-broker")
                .unstarted(() -> {
                  broker.close();
                  stopped.countDown();
                }));
    out.println("ready " + broker.bootstrapServers());
    out.flush();
    stopped.await();
  }

  static EmbeddedKafka.Config config(List<String> args) {
    var options =
        Options.parse(
            args,
            Set.of(
                "data-dir",
                "host",
                "port",
                "controller-port",
                "cluster-id",
                "node-id",
                "voters",
                "set"));
    var directory = Path.of(options.required("data-dir"));
    return new EmbeddedKafka.Config(
        directory,
        options.one("host").orElse("127.0.0.1"),
        options.one("port").map(text -> Options.port("port", text)).orElse(9092),
        options
            .one("controller-port")
            .map(text -> Options.port("controller-port", text))
            .orElse(9093),
        quorum(options),
        overrides(options.all("set")));
  }

  /** All three or none. */
  private static Optional<KafkaQuorum> quorum(Options options) {
    if (Stream.of("cluster-id", "node-id", "voters").allMatch(n -> options.all(n).isEmpty())) {
      return Optional.empty();
    }
    var node = options.required("node-id");
    if (!node.matches("[0-9]{1,9}")) {
      throw new IllegalArgumentException("option --node-id: '" + node + "' is no number");
    }
    return Optional.of(
        new KafkaQuorum(
            options.required("cluster-id"),
            Integer.parseInt(node),
            KafkaQuorum.parseVoters(options.required("voters"))));
  }

  private static Map<String, String> overrides(List<String> settings) {
    var overrides = new LinkedHashMap<String, String>();
    for (var setting : settings) {
      var equals = setting.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException("option --set: '" + setting + "' is not name=value");
      }
      overrides.put(setting.substring(0, equals), setting.substring(equals + 1));
    }
    return overrides;
  }
}
