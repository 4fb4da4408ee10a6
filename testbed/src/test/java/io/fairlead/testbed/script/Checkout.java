package io.fairlead.testbed.script;

import static java.nio.file.StandardCopyOption.COPY_ATTRIBUTES;

import io.fairlead.devkit.process.Executables;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

/**
 * A checkout with the real scripts and a program of a few lines in place of the command; what
 * stands for Maven notes who called it and puts that program's jar where Maven would. On its PATH
 * is only what the scripts need, so that a test says what is installed.
 */
final class Checkout {
  /** What the scripts call, beyond what they check for. */
  private static final List<String> TOOLS =
      List.of(
          "awk",
          "bash",
          "cat",
          "chmod",
          "chown",
          "cksum",
          "cmp",
          "cp",
          "cut",
          "date",
          "dirname",
          "env",
          "find",
          "flock",
          "getent",
          "grep",
          "head",
          "id",
          "ln",
          "mkdir",
          "mktemp",
          "mv",
          "ps",
          "readlink",
          "rm",
          "runuser",
          "sed",
          "setsid",
          "sleep",
          "sort",
          "tail",
          "tee",
          "test",
          "touch",
          "tr",
          "wc");

  private static final String PROGRAM =
      """
      package io.fairlead.standalone;

      public class Main {
        public static void main(String[] words) throws Exception {
          switch (words[0]) {
            case "end" -> System.exit(Integer.parseInt(words[1]));
            case "where" -> System.out.println(System.getProperty("user.dir"));
            case "wait" -> {
              System.out.println("waiting");
              System.in.read();
              Late.speak();
            }
            default -> {
              for (var word : words) System.out.println("[" + word + "]");
            }
          }
        }
      }

      class Late {
        static void speak() {
          System.out.println("still here");
        }
      }

      class Training {
        public static void main(String[] words) {}
      }
      """;

  private static final String MAVEN =
      """
      #!/usr/bin/env bash
      echo "$(id -un) $HOME $*" >>"$PWD/builds"
      if [ -e broken ]; then
        echo "[INFO] compiling"
        echo "[ERROR] Web.java:[1,2] ';' expected"
        echo "[ERROR] -> [Help 1]"
        echo "[ERROR] Re-run Maven with -X"
        exit 1
      fi
      case "$*" in
        *-Dquick*) target=target/quick ;;
        *) target=target ;;
      esac
      for module in standalone bench; do
        mkdir -p $module/$target
        cp program.jar $module/$target/fairlead-$module-1.jar
        printf '%s' "$PWD/others/other.jar" >$module/$target/classpath
      done
      all=$*
      if [ -e hang ] && [ "${all##*-Dsuite=}" != "$all" ]; then
        temporary=${all##*-Djava.io.tmpdir=} temporary=${temporary%% -D*}
        mkdir -p "$temporary/a plane"
        touch "$temporary/a plane/plane.lock"
        setsid tail -f "$temporary/a plane/plane.lock" 7<&- & # as the JVM starts its children
        echo $$ >pids
        echo $! >>pids
        echo "$temporary" >hanging
        wait
      fi
      suite=${all##*-Dsuite=} suite=${suite%% *}
      if [ -e "results/$suite" ]; then
        mkdir -p web/target/surefire-reports/$suite
        cp results/$suite web/target/surefire-reports/$suite/TEST-web.xml
      fi
      """;

  /** What came of a call. */
  record Ran(int code, String out, String err) {}

  private final Path home;
  private final Path programs;
  private final Map<String, String> environment = new TreeMap<>();

  private Checkout(Path home, Path programs) {
    this.home = home;
    this.programs = programs;
  }

  /** With Maven and a JDK 25, and nothing else that is checked for. */
  static Checkout in(Path directory) throws IOException {
    var home = Files.createDirectories(directory.resolve("check out")).toRealPath();
    var programs = Files.createDirectories(directory.resolve("programs"));
    var checkout = new Checkout(home, programs);
    var sources = topOfSources();
    Files.copy(sources.resolve("fairlead"), home.resolve("fairlead"), COPY_ATTRIBUTES);
    Files.createDirectories(home.resolve("dev"));
    for (var name : List.of("lib.sh", "build", "test")) {
      Files.copy(sources.resolve("dev/" + name), home.resolve("dev/" + name), COPY_ATTRIBUTES);
    }
    for (var tool : TOOLS) {
      checkout.program(
          tool, "#!/bin/sh\nexec '%s' \"$@\"\n".formatted(Executables.require(tool, tool)));
    }
    checkout.program("mvn", MAVEN);
    checkout.environment.put("PATH", programs.toString());
    checkout.environment.put("HOME", directory.toString());
    checkout.environment.put("JAVA25_HOME", System.getProperty("java.home"));
    checkout.environment.put("TMPDIR", Files.createDirectories(directory.resolve("tmp")) + "");
    checkout.file("pom.xml", "");
    checkout.file("web/pom.xml", "");
    checkout.file("web/src/Web.java", "first");
    checkout.jars(directory);
    return checkout;
  }

  private static Path topOfSources() {
    // tests run in the directory of their module
    return Path.of("..").toAbsolutePath().normalize();
  }

  private void jars(Path directory) throws IOException {
    var classes = Files.createDirectories(directory.resolve("classes"));
    var source = Files.writeString(directory.resolve("Main.java"), PROGRAM);
    int code =
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, null, "-d", classes.toString(), source.toString());
    if (code != 0) {
      throw new IllegalStateException("the program does not compile");
    }
    try (var jar = new JarOutputStream(Files.newOutputStream(home.resolve("program.jar")));
        Stream<Path> files = Files.walk(classes)) {
      for (var file : files.filter(Files::isRegularFile).sorted().toList()) {
        jar.putNextEntry(new JarEntry(classes.relativize(file).toString()));
        jar.write(Files.readAllBytes(file));
      }
    }
    Files.createDirectories(home.resolve("others"));
    Files.copy(home.resolve("program.jar"), home.resolve("others/other.jar"));
  }

  Path home() {
    return home;
  }

  Path file(String name, String text) throws IOException {
    var file = home.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  /**
   * What a suite comes to when Maven runs it.
   *
   * @param cases the test cases of its report, in XML
   */
  void results(String suite, String... cases) throws IOException {
    file("results/" + suite, "<testsuite>\n" + String.join("\n", cases) + "\n</testsuite>\n");
    if (!suite.equals("fast")) {
      file("web/src/test/java/" + suite + ".java", "@Tag(\"" + suite + "\")");
    }
  }

  /** Installs a program. */
  void program(String name, String text) throws IOException {
    var file = Files.writeString(programs.resolve(name), text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  void uninstall(String name) throws IOException {
    Files.delete(programs.resolve(name));
  }

  Checkout with(String variable, String value) {
    environment.put(variable, value);
    return this;
  }

  /** Makes all of it the user's. Only root can. */
  void giveTo(String user) throws IOException {
    var owner = home.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(user);
    try (var all = Files.walk(home)) {
      for (var file : all.toList()) {
        Files.setOwner(file, owner);
      }
    }
  }

  /** One line for each time that Maven ran: who, his home, the arguments. */
  List<String> builds() throws IOException {
    var file = home.resolve("builds");
    return Files.exists(file) ? Files.readAllLines(file) : List.of();
  }

  /** Folders that were built and not removed. */
  List<Path> folders() throws IOException {
    try (Stream<Path> all = Files.list(home.resolve(".dist"))) {
      return all.filter(f -> f.getFileName().toString().startsWith("2")).sorted().toList();
    }
  }

  Process start(String... words) throws IOException {
    return start(List.of(), home, words);
  }

  /**
   * @param wrapper what the script is called through, e.g. {@code setpriv ...}
   */
  Process start(List<String> wrapper, Path directory, String... words) throws IOException {
    var command = new ArrayList<>(wrapper);
    command.add(home.resolve("fairlead").toString());
    command.addAll(List.of(words));
    var builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    builder.redirectError(Redirect.to(home.resolveSibling("stderr").toFile()));
    return builder.start();
  }

  Ran run(String... words) throws IOException, InterruptedException {
    return end(start(words));
  }

  /** With an empty standard input. Bounded by the time-out of the test. */
  Ran end(Process process) throws IOException, InterruptedException {
    process.getOutputStream().close();
    var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = process.waitFor();
    return new Ran(code, out, Files.readString(home.resolveSibling("stderr")));
  }
}
