package io.fairlead.decider.watch;

import static io.fairlead.core.image.TestObjects.deletion;
import static io.fairlead.core.image.TestObjects.delta;
import static io.fairlead.core.image.TestObjects.name;
import static io.fairlead.core.image.TestObjects.node;
import static io.fairlead.core.image.TestObjects.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectName;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class WatchedKindTest {
  private final ClusterImage image =
      TestObjects.image(
          at("node-a", "192.0.2.1"),
          at("node-b", "192.0.2.2"),
          pod("web-0", "web", "node-a", "10.244.1.7"),
          pod("web-1", "web", "node-b", "10.244.2.7"),
          pod("early", "web", "node-c", "10.244.3.7"));

  private static Node at(String name, String address) {
    var node = node(name, Optional.empty());
    return new Node(
        node.meta(),
        node.zone(),
        List.of(Address.of(address)),
        node.podCidrs(),
        node.agentVersion(),
        node.instance(),
        OptionalLong.empty(),
        Node.State.READY,
        "");
  }

  private Set<ObjectName> pods(ClusterDelta delta) {
    return WatchedKind.PODS.touched(delta, delta.apply());
  }

  @Test
  void theAddressOfANodeIsPartOfItsPods() {
    assertThat(pods(delta(image, at("node-a", "192.0.2.9")))).containsExactly(name("web-0"));
    assertThat(pods(delta(image, at("node-c", "192.0.2.3")))).containsExactly(name("early"));
    assertThat(pods(deletion(image, at("node-b", "192.0.2.2")))).containsExactly(name("web-1"));
  }

  @Test
  void aNodeThatIsStoredAgainAsItWasTouchesNoPod() {
    assertThat(pods(delta(image, at("node-a", "192.0.2.1")))).isEmpty();
  }
}
