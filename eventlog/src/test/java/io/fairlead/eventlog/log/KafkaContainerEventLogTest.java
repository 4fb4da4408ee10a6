package io.fairlead.eventlog.log;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.Container;
import io.fairlead.devkit.process.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * Over the broker of the image that {@code docker-compose.yml} names, as Testcontainers starts it.
 */
@Tag("docker")
class KafkaContainerEventLogTest extends KafkaEventLogContract {
  private static final String LABEL = "io.fairlead.test.eventlog";

  @BeforeAll
  static void startBroker() {
    assumeTrue(
        DockerClientFactory.instance().isDockerAvailable(),
        "no Docker engine answers: dev/engine start starts one");
    removeWhatAKilledRunLeft();
    use(new ContainerBroker());
  }

  /** The reaper of Testcontainers is an image that cannot be had everywhere. */
  private static void removeWhatAKilledRunLeft() {
    var docker = DockerClientFactory.lazyClient();
    for (var container :
        docker.listContainersCmd().withShowAll(true).withLabelFilter(List.of(LABEL)).exec()) {
      if (!ownerLives(container)) {
        docker.removeContainerCmd(container.getId()).withForce(true).withRemoveVolumes(true).exec();
      }
    }
  }

  private static boolean ownerLives(Container container) {
    var owner = container.getLabels().get(LABEL);
    return ProcessHandle.allProcesses().anyMatch(process -> owner(process).equals(owner));
  }

  private static String owner(ProcessHandle process) {
    return "%d at %s"
        .formatted(
            process.pid(), process.info().startInstant().map(Object::toString).orElse("unknown"));
  }

  /** {@code KAFKA_IMAGE}, or what stands for it in the Compose file. */
  private static String image() {
    var named = System.getenv("KAFKA_IMAGE");
    if (named != null && !named.isEmpty()) {
      return named;
    }
    var file = Path.of("..", "docker-compose.yml");
    try {
      var matcher = Pattern.compile("\\$\\{KAFKA_IMAGE:-([^}]+)}").matcher(Files.readString(file));
      if (matcher.find()) {
        return matcher.group(1);
      }
      throw new IllegalStateException(file + " has no ${KAFKA_IMAGE:-default}");
    } catch (IOException e) {
      throw new IllegalStateException("cannot read " + file, e);
    }
  }

  /** The port is chosen here, since the engine gives a restarted container another one. */
  private static final class ContainerBroker implements Broker {
    private final DockerClient docker = DockerClientFactory.lazyClient();
    private final KafkaContainer kafka =
        new KafkaContainer(DockerImageName.parse(image()).asCompatibleSubstituteFor("apache/kafka"))
            .withLabel(LABEL, owner(ProcessHandle.current()))
            .withEnv(SETTINGS);

    // A single broker that was killed is taken back once its old session is over.
    private static final Map<String, String> SETTINGS =
        Map.of(
            "KAFKA_HEAP_OPTS", "-Xmx256m",
            "KAFKA_BROKER_SESSION_TIMEOUT_MS", "1000",
            "KAFKA_BROKER_HEARTBEAT_INTERVAL_MS", "200",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false",
            "KAFKA_LOG_CLEANER_BACKOFF_MS", "200",
            "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS", "1",
            "KAFKA_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS", "1000");

    ContainerBroker() {
      kafka.setPortBindings(List.of(Ports.free("0.0.0.0") + ":9092"));
      kafka.start();
    }

    @Override
    public String bootstrapServers() {
      return kafka.getBootstrapServers();
    }

    @Override
    public void kill() {
      docker.killContainerCmd(kafka.getContainerId()).exec();
    }

    @Override
    public void restart() {
      docker.startContainerCmd(kafka.getContainerId()).exec();
      await("the broker answers")
          .atMost(Duration.ofSeconds(60))
          .ignoreExceptions()
          .until(() -> {
            try (var admin =
                Admin.create(Map.of("bootstrap.servers", kafka.getBootstrapServers()))) {
              return !admin.describeCluster().nodes().get(5, TimeUnit.SECONDS).isEmpty();
            }
          });
    }

    @Override
    public void pause() {
      docker.pauseContainerCmd(kafka.getContainerId()).exec();
    }

    @Override
    public void resume() {
      docker.unpauseContainerCmd(kafka.getContainerId()).exec();
    }

    @Override
    public void close() {
      kafka.stop();
    }
  }
}
