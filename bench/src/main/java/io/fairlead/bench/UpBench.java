package io.fairlead.bench;

import io.fairlead.testbed.up.Shell;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What a user waits for: {@code up}, the first answer by name after {@code apply}, short verbs; and
 * the memory of each process. Built and warm: the first {@code up} of a build, which also fills
 * caches, is not counted.
 */
final class UpBench implements Bench.Scenario {
  private static final int STARTS = 5;
  private static final int CALLS = 20;
  private static final Duration LIMIT = Duration.ofMinutes(3);

  @Override
  public List<Figure> run(List<String> options, Bench.Progress progress) throws Exception {
    Bench.OptionException.requireNone(options);
    var data = Files.createTempDirectory("fairlead-bench-up");
    var shell =
        new Shell(
            top(), Map.of("FAIRLEAD_DATA_DIR", data.toString(), "FAIRLEAD_PORTS", "free"), LIMIT);
    var figures = new ArrayList<Figure>();
    try {
      progress.say("the first start");
      shell.run("./fairlead up -d").ok();
      shell.run("./fairlead down").ok();
      var up = new Samples();
      var answer = new Samples();
      for (int i = 0; i < STARTS; i++) {
        progress.say("start " + (i + 1) + " of " + STARTS);
        up.add(time(shell, "./fairlead up -d"));
        answer.add(firstAnswer(shell, i));
        if (i < STARTS - 1) {
          shell.run("./fairlead down").ok();
        }
      }
      figures.addAll(up.figures("up.ready"));
      figures.addAll(answer.figures("up.apply-to-answer"));
      progress.say("short verbs");
      var manifest = data.resolve("ten.yaml");
      figures.addAll(verb(shell, "version", "./fairlead version"));
      figures.addAll(verb(shell, "get-svc", "./fairlead get svc"));
      var apply = new Samples();
      for (int i = 0; i < CALLS; i++) {
        Files.writeString(manifest, services(i));
        apply.add(time(shell, "./fairlead apply -f " + manifest));
      }
      figures.addAll(apply.figures("up.apply-ten-services"));
      figures.addAll(memory(data));
    } finally {
      progress.say("down");
      shell.run("./fairlead down");
      delete(data);
    }
    return figures;
  }

  /** The checkout whose script is measured. */
  private static Path top() {
    return Path.of(Optional.ofNullable(System.getenv("FAIRLEAD_HOME")).orElse("."));
  }

  private static Duration time(Shell shell, String line) {
    long start = System.nanoTime();
    shell.run(line).ok();
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private static List<Figure> verb(Shell shell, String name, String line) {
    var samples = new Samples();
    for (int i = 0; i < CALLS; i++) {
      samples.add(time(shell, line));
    }
    return samples.figures("up." + name);
  }

  /**
   * From the start of {@code apply} of a Service and its Pod to the first request by name that is
   * answered, made again and again from a Pod on another node.
   */
  private static Duration firstAnswer(Shell shell, int round) {
    shell.run("./fairlead apply -f examples/clients.yaml").ok();
    shell.run("./fairlead wait --for=condition=Ready pod client-c --timeout=60s").ok();
    var name = "first-" + round;
    var manifest =
        """
        {apiVersion: v1, kind: Service, metadata: {name: NAME}, spec: {selector: {app: NAME}, ports: [{port: 80, targetPort: 8080}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: NAME, labels: {app: NAME}}, spec: {nodeName: node-a, containers: [{name: echo, image: fairlead/echo, ports: [{containerPort: 8080}]}]}}
        """
            .replace("NAME", name);
    long start = System.nanoTime();
    shell.run("./fairlead apply -f - <<'END'\n" + manifest + "END").ok();
    shell
        .run(
            "./fairlead exec client-c -- sh -c 'until curl -sf --max-time 1 http://%s; do sleep 0.02; done'"
                .formatted(name))
        .ok();
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private static String services(int round) {
    return IntStream.range(0, 10)
        .mapToObj(i ->
            "{apiVersion: v1, kind: Service, metadata: {name: ten-%d-%d}, spec: {selector: {app: nobody}, ports: [{port: 80}]}}\n"
                .formatted(round, i))
        .collect(Collectors.joining("---\n"));
  }

  /**
   * Resident memory of each process that the plane consists of, and of one echo Pod's; where there
   * are several of one role, of the largest.
   */
  private static List<Figure> memory(Path data) {
    var plane =
        ProcessHandle.allProcesses()
            .filter(p -> Role.of(words(p.pid()), data).equals(Optional.of(Role.PLANE)))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no plane with data in " + data));
    var byRole = new TreeMap<String, List<Double>>();
    for (var process : Stream.concat(Stream.of(plane), plane.descendants()).toList()) {
      Role.of(words(process.pid()), data)
          .ifPresent(role ->
              residentMegabytes(process.pid())
                  .ifPresent(mb -> byRole.computeIfAbsent(role, _ -> new ArrayList<>()).add(mb)));
    }
    return byRole.entrySet().stream()
        .map(role ->
            new Figure(
                "up.rss." + role.getKey(),
                Collections.max(role.getValue()),
                "MB",
                role.getValue().size()))
        .toList();
  }

  /** The command line; empty where the process has ended. */
  private static List<String> words(long pid) {
    try {
      var text = Files.readString(proc(pid, "cmdline"), StandardCharsets.ISO_8859_1);
      return List.of(text.split("\0", -1));
    } catch (IOException _) {
      return List.of();
    }
  }

  private static Optional<Double> residentMegabytes(long pid) {
    try {
      return Files.readAllLines(proc(pid, "status")).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .map(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024 / 1e6)
          .findFirst();
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  private static Path proc(long pid, String file) {
    return Path.of("/proc", Long.toString(pid), file);
  }

  private static void delete(Path directory) throws IOException {
    try (var files = Files.walk(directory)) { // what links lead to stays
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
