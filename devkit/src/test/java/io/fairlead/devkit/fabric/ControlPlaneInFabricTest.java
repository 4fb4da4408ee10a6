package io.fairlead.devkit.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.devkit.kafka.EmbeddedKafka;
import io.fairlead.devkit.kafka.KafkaProcess;
import io.fairlead.devkit.posix.Libc;
import io.fairlead.devkit.process.Executables;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("kernel")
@Timeout(120)
final class ControlPlaneInFabricTest {
  @TempDir Path directory;

  @Test
  void brokerAndEtcdLiveInTheMiddleAndAreReachedFromHereAndFromNodes() throws Exception {
    Assumptions.assumeTrue(Libc.effectiveUserId() == 0, "network namespaces need root");
    Assumptions.assumeTrue(
        Executables.find("etcd").isPresent(), "etcd is not installed (Debian: etcd-server)");
    try (var fabric = Fabric.create(FabricSpec.of("devkit6", List.of("node-a")))) {
      var middle = Fabric.prefix(fabric.fabricNamespace());
      var host = fabric.fabricAddress();
      var etcdConfig =
          EtcdProcess.Config.in(directory.resolve("etcd"))
              .withHost(host)
              .withPorts(2379, 2380)
              .through(middle);
      var kafkaConfig =
          EmbeddedKafka.Config.in(directory.resolve("kafka")).withHost(host).withPorts(9092, 9093);
      EtcdProcess.start(etcdConfig).kill();
      KafkaProcess.start(kafkaConfig, List.of("-Xmx256m"), middle).kill();

      // again on the same ports and directories, at once
      try (var etcd = EtcdProcess.start(etcdConfig);
          var kafka = KafkaProcess.start(kafkaConfig, List.of("-Xmx256m"), middle);
          var admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
        assertThat(etcd.isHealthy()).isTrue();
        assertThat(admin.describeCluster().nodes().get(30, TimeUnit.SECONDS)).hasSize(1);
        for (var port : List.of(2379, 9092)) {
          try (var client =
              NetnsSockets.connect(
                  fabric.node("node-a").namespace(),
                  new InetSocketAddress(InetAddress.ofLiteral(host), port),
                  Duration.ofSeconds(5))) {
            assertThat(client.isConnected()).isTrue();
          }
        }
      }
    }
  }
}
