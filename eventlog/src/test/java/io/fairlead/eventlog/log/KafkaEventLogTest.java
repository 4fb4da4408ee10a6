package io.fairlead.eventlog.log;

import io.fairlead.devkit.kafka.EmbeddedKafka;
import io.fairlead.devkit.kafka.KafkaProcess;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** Over a broker in a process of its own. */
@Tag("slow")
class KafkaEventLogTest extends KafkaEventLogContract {
  @BeforeAll
  static void startBroker(@TempDir Path directory) {
    use(new ProcessBroker(directory));
  }

  private static final class ProcessBroker implements Broker {
    private KafkaProcess kafka;

    ProcessBroker(Path directory) {
      kafka =
          KafkaProcess.start(
              EmbeddedKafka.Config.in(directory.resolve("data"))
                  .withOverrides(Map.of("log.cleaner.backoff.ms", "200")));
    }

    @Override
    public String bootstrapServers() {
      return kafka.bootstrapServers();
    }

    @Override
    public void kill() {
      kafka.kill();
    }

    @Override
    public void restart() {
      kafka = KafkaProcess.start(kafka.config());
    }

    @Override
    public void pause() {
      kafka.pause();
    }

    @Override
    public void resume() {
      kafka.resume();
    }

    @Override
    public void close() {
      kafka.close();
    }
  }
}
