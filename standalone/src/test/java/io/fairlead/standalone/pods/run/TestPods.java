package io.fairlead.standalone.pods.run;

import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Protocol;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/** Pods as a user writes them. */
public final class TestPods {
  private TestPods() {}

  public static Pod pod(String name, Pod.Container... containers) {
    return pod(name, Pod.RestartPolicy.ALWAYS, containers);
  }

  public static Pod pod(String name, Pod.RestartPolicy policy, Pod.Container... containers) {
    return new Pod(
        new ObjectMeta(
            "shop", name, UUID.randomUUID(), new TreeMap<>(), new TreeMap<>(), Instant.now()),
        new Pod.Spec(
            Optional.empty(),
            false,
            Optional.empty(),
            Optional.empty(),
            List.of(containers),
            policy,
            Duration.ofSeconds(30)),
        new Pod.Status(Pod.Phase.PENDING, List.of(), "", Optional.empty()),
        "api");
  }

  public static Pod.Container container(String name, String... command) {
    return container(name, Map.of(), command);
  }

  public static Pod.Container container(String name, Map<String, String> env, String... command) {
    return new Pod.Container(
        name, "", List.of(command), List.of(), new TreeMap<>(env), List.of(), Optional.empty());
  }

  public static Pod.Container image(String name, String image, int... ports) {
    return new Pod.Container(
        name,
        image,
        List.of(),
        List.of(),
        new TreeMap<>(),
        java.util.Arrays.stream(ports)
            .mapToObj(port -> new Pod.ContainerPort("", Protocol.TCP, port))
            .toList(),
        Optional.empty());
  }
}
