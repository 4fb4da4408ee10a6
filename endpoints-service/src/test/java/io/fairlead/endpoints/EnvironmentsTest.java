package io.fairlead.endpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Service;
import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.v1.GetServiceEnvironmentRequest;
import io.fairlead.v1.ServiceEnvironmentsGrpc;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EnvironmentsTest {
  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private static SequencedMap<String, String> get(
      Replica replica, GetServiceEnvironmentRequest.Builder request) {
    var variables = new LinkedHashMap<String, String>();
    ServiceEnvironmentsGrpc.newBlockingStub(replica.channel())
        .withDeadlineAfter(Duration.ofSeconds(20))
        .withWaitForReady()
        .get(request.build())
        .getVariablesList()
        .forEach(variable -> variables.put(variable.getName(), variable.getValue()));
    return variables;
  }

  private static Service service(String namespace, String name, String address) {
    return new Service(
        TestObjects.meta(namespace, name, Map.of()), TestObjects.service(name, address).spec());
  }

  private static GetServiceEnvironmentRequest.Builder of(String namespace) {
    return GetServiceEnvironmentRequest.newBuilder().setNamespace(namespace);
  }

  @Test
  void tellsOfTheServicesOfTheNamespaceAndTheControlPlane() {
    var a = replicas.start("a");
    replicas.store(
        service("default", "fairlead", "10.96.0.1"),
        service("default", "other", "10.96.0.21"),
        service("shop", "web", "10.96.0.20"));
    assertThat(get(a, of("shop")))
        .containsEntry("FAIRLEAD_SERVICE_HOST", "10.96.0.1")
        .containsEntry("WEB_PORT", "tcp://10.96.0.20:80")
        .doesNotContainKey("OTHER_SERVICE_HOST");
    assertThat(get(a, of("")))
        .as("no namespace is the default one")
        .containsEntry("OTHER_SERVICE_HOST", "10.96.0.21")
        .doesNotContainKey("WEB_PORT");
    assertThat(get(a, of("shop").setEnableServiceLinks(false)))
        .containsKey("FAIRLEAD_SERVICE_HOST")
        .doesNotContainKey("WEB_PORT");
    assertThat(get(a, of("shop").setEnableServiceLinks(true))).isEqualTo(get(a, of("shop")));
  }

  /** D15: who starts a container waits or fails, but never gets the environment of half a log. */
  @Test
  void isRefusedRatherThanEmptyWhileTheLogIsAway() {
    var a = replicas.start("a");
    replicas.store(service("shop", "web", "10.96.0.20"));
    assertThat(get(a, of("shop"))).containsKey("WEB_PORT");
    replicas.kafka.stop();
    var refused = catchThrowable(() -> get(a, of("shop")));
    assertThat(ErrorReport.of(refused).reason()).contains(Reason.DEPENDENCY_UNAVAILABLE);
    replicas.kafka.start();
  }
}
