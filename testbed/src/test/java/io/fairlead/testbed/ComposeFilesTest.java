package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** What belongs to docker-compose.yml says the same as docker-compose.yml; needs no Docker. */
@Timeout(30)
class ComposeFilesTest {
  private static final Path TOP = Path.of("..");
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Z0-9_]+):-([^}]*)}");

  private static List<Map<?, ?>> documents(Path file) throws IOException {
    var settings = LoadSettings.builder().setMaxAliasesForCollections(1_000).build();
    var all = new Load(settings).loadAllFromString(Files.readString(file));
    return StreamSupport.stream(all.spliterator(), false)
        .<Map<?, ?>>map(d -> (Map<?, ?>) d)
        .toList();
  }

  private static List<Map<?, ?>> documentsBelow(Path directory) throws IOException {
    var all = new ArrayList<Map<?, ?>>();
    try (var files = Files.list(directory)) {
      for (var file : files.sorted().toList()) {
        all.addAll(documents(file));
      }
    }
    return all;
  }

  /** The value at the end of the keys, which is there. */
  private static Object at(Object map, String... keys) {
    var value = map;
    for (var key : keys) {
      value = ((Map<?, ?>) value).get(key);
      assertThat(value).as(key).isNotNull();
    }
    return value;
  }

  private static List<Map<?, ?>> maps(Object list) {
    return ((List<?>) list).stream().<Map<?, ?>>map(item -> (Map<?, ?>) item).toList();
  }

  @Test
  void pageNamesEveryVariableWithItsDefault() throws IOException {
    var page = Files.readString(TOP.resolve("docs").resolve("compose.md"));
    var variables = VARIABLE.matcher(Files.readString(TOP.resolve("docker-compose.yml")));
    var seen = new HashSet<String>();
    while (variables.find()) {
      seen.add(variables.group(1));
      assertThat(page.lines())
          .as(variables.group())
          .anyMatch(line ->
              line.startsWith("| ")
                  && line.contains("`" + variables.group(1) + "`")
                  && line.contains(variables.group(2)));
    }
    assertThat(seen).contains("KAFKA_IMAGE", "ETCD_IMAGE", "FAIRLEAD_VERSION");
  }

  @Test
  void everyStaticPodIsAWorkloadOnItsNodeWithItsPorts() throws IOException {
    var services = at(documents(TOP.resolve("docker-compose.yml")).getFirst(), "services");
    for (var node : List.of("node-a", "node-b", "node-c")) {
      var taken = new HashSet<Object>();
      var pods = documentsBelow(TOP.resolve("compose").resolve("manifests").resolve(node));
      assertThat(pods).as(node).isNotEmpty();
      for (var pod : pods) {
        var name = (String) at(pod, "metadata", "name");
        assertThat(at(services, name, "network_mode")).as(name).isEqualTo("service:" + node);
        var words = new ArrayList<>(List.of("--pod", name, "--node", node));
        for (var container : maps(at(pod, "spec", "containers"))) {
          assertThat(container.containsKey("readinessProbe")).as(name + " has a probe").isTrue();
          for (var port : maps(at(container, "ports"))) {
            words.addAll(List.of("--port", at(port, "containerPort").toString()));
            assertThat(taken.add(at(port, "containerPort")))
                .as(name + ": ports of " + node)
                .isTrue();
          }
        }
        assertThat(at(services, name, "command")).as(name).isEqualTo(words);
      }
    }
  }

  /** Target ports may differ: here the Pods of a node share its ports. */
  @Test
  void servicesAreThoseOfTheExamples() throws IOException {
    var examples = new TreeMap<String, Object>();
    for (var object : documentsBelow(TOP.resolve("examples"))) {
      if (at(object, "kind").equals("Service")) {
        examples.put(at(object, "metadata").toString(), essence(object));
      }
    }
    var services = documentsBelow(TOP.resolve("compose").resolve("services"));
    assertThat(services).hasSize(5);
    for (var service : services) {
      assertThat(essence(service)).isEqualTo(examples.get(at(service, "metadata").toString()));
    }
  }

  private static Object essence(Map<?, ?> service) {
    var spec = (Map<?, ?>) at(service, "spec");
    var ports = maps(at(spec, "ports")).stream().map(port -> at(port, "port")).toList();
    return List.of(at(spec, "selector"), ports, spec.containsKey("clusterIP"));
  }
}
