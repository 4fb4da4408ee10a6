package io.fairlead.testbed.compose;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the Services of {@code compose/services} answer, by name and by ClusterIP. */
public final class ComposeExamples {
  private static final Map<String, String> BY_NAME =
      Map.of(
          "http://mysql-service:3306", "mysql-db",
          "http://app-service", "web-app",
          "http://app-service:9090", "web-app",
          "http://reports.team-b", "reports",
          "http://database-headless:5432", "my-db-");

  /** With the port, where it is not 80. */
  private static final Map<String, String> BY_ADDRESS =
      Map.of(
          "default/mysql-service", ":3306", "default/app-service", ":9090", "team-b/reports", "");

  private ComposeExamples() {}

  /**
   * Asks for all in one go, since each exec costs more than a request.
   *
   * @param client the service whose container asks
   * @param addresses ClusterIPs by {@code namespace/name}; empty where they are not known yet
   * @return what is not as it should be, in words
   */
  public static List<String> wrong(
      ComposeProject project, String client, Map<String, String> addresses) {
    var script = new StringBuilder();
    BY_NAME.forEach(
        (url, _) -> script.append("echo %s $(curl -s --max-time 5 %s);".formatted(url, url)));
    addresses.forEach((service, address) -> {
      if (BY_ADDRESS.containsKey(service)) {
        var url = "http://" + address + BY_ADDRESS.get(service);
        script.append("echo %s $(curl -s --max-time 5 %s);".formatted(service, url));
      }
    });
    var backends =
        "curl -s --max-time 10 -H 'Connection: close' 'http://%s/?[1-6]' | sed 's/^/%s /';";
    script.append(backends.formatted("backend-service", "name"));
    if (!addresses.isEmpty()) {
      script.append(backends.formatted(addresses.get("default/backend-service"), "address"));
    }
    script.append("getent ahostsv4 database-headless | sed 's/^/headless /'");
    var lines =
        project
            .exec(client, "sh -c \"" + script.toString().replace("$", "\\$") + "\"")
            .out()
            .lines()
            .toList();

    var wrong = new ArrayList<String>();
    BY_NAME.forEach((url, pod) -> {
      if (lines.stream().noneMatch(line -> line.startsWith(url + " pod=" + pod))) {
        wrong.add(url + " is not answered by " + pod);
      }
    });
    for (var service : addresses.keySet()) {
      if (BY_ADDRESS.containsKey(service)
          && lines.stream().noneMatch(line -> line.startsWith(service + " pod="))) {
        wrong.add("the address of " + service + " is not answered");
      }
    }
    for (var kind :
        addresses.isEmpty()
            ? List.of("name", "headless")
            : List.of("name", "headless", "address")) {
      var seen =
          lines.stream()
              .filter(line -> line.startsWith(kind + " "))
              .map(line -> line.split(" ", 3)[1])
              .distinct()
              .count();
      if (seen != 3) {
        wrong.add("%d instead of 3 behind %s".formatted(seen, kind));
      }
    }
    return wrong;
  }
}
