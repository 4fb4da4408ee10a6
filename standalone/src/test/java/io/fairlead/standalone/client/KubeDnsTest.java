package io.fairlead.standalone.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.manifest.ManifestObject;
import io.fairlead.api.manifest.Manifests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class KubeDnsTest {
  @Test
  void isTheServiceOfTheExample() throws IOException {
    var text = Files.readString(Path.of("..", "examples", "kube-dns.yaml"));
    var example = Manifests.read("kube-dns.yaml", text).items().getFirst().object();

    assertThat(example).isEqualTo(new ManifestObject.OfService(KubeDns.service()));
  }
}
