package io.fairlead.standalone.pods.run;

import static io.fairlead.standalone.pods.run.TestPods.container;
import static io.fairlead.standalone.pods.run.TestPods.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Service;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ServiceVariablesTest {
  private final FakePodApi api = new FakePodApi();
  private final ServiceVariables variables = new ServiceVariables(api);

  private static Service service(String namespace, String name, String ip) {
    return new Service(
        TestObjects.meta(namespace, name, Map.of()), TestObjects.service(name, ip).spec());
  }

  private static Pod withoutLinks(Pod pod) {
    var spec = pod.spec();
    return new Pod(
        pod.meta(),
        new Pod.Spec(
            spec.nodeName(),
            false,
            spec.hostname(),
            spec.subdomain(),
            spec.containers(),
            spec.restartPolicy(),
            spec.terminationGrace(),
            List.of(),
            List.of(),
            false),
        pod.status(),
        pod.source());
  }

  @Test
  void d10APodWithoutLinksFindsTheControlPlaneOnly() {
    api.services(
        List.of(service("shop", "web", "10.96.0.20"), service("default", "fairlead", "10.96.0.1")));
    var linked = pod("linked", container("main", "true"));
    var alone = withoutLinks(pod("alone", container("main", "true")));
    assertThat(variables.of(linked)).containsKeys("WEB_SERVICE_HOST", "FAIRLEAD_SERVICE_HOST");
    assertThat(variables.of(alone))
        .containsKey("FAIRLEAD_SERVICE_HOST")
        .doesNotContainKey("WEB_SERVICE_HOST");
    api.servicesGoAway();
    assertThat(variables.of(linked)).as("what was known last").containsKey("WEB_SERVICE_HOST");
    assertThat(variables.of(alone)).doesNotContainKey("WEB_SERVICE_HOST");
  }
}
