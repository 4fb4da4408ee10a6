package io.fairlead.standalone.pods.run;

import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Protocol;
import io.fairlead.devkit.echo.EchoServerMain;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.devkit.process.PublicFiles;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Which program stands for which image: there are no images here, but the built-in {@value #ECHO},
 * an HTTP server on the container's ports that says which Pod answered. Immutable.
 */
public final class Images {
  static final String ECHO = "fairlead/echo";

  private static final String JAVA = "java";
  private static final String CLASSES = "classes";
  private static final String JAR = "echo.jar";

  private final Path javaHere;
  private final Path classesHere;
  private final List<Program.Mount> mounts;

  private Images(Path javaHere, Path classesHere, List<Program.Mount> mounts) {
    this.javaHere = javaHere;
    this.classesHere = classesHere;
    this.mounts = List.copyOf(mounts);
  }

  /**
   * Makes the places where containers see Java and the built-in program: both may lie where only
   * root reads, such as below /root, or be made under a umask that keeps them from others.
   *
   * @param directory which every user reads; made where it is missing
   * @throws LaunchException it cannot be made
   */
  public static Images in(Path directory) {
    var classes = classPath();
    var javaHere = directory.resolve(JAVA);
    var classesHere = directory.resolve(Files.isDirectory(classes) ? CLASSES : JAR);
    var mounts = new ArrayList<Program.Mount>();
    mounts.add(new Program.Mount(Path.of(System.getProperty("java.home")), javaHere));
    try {
      PublicFiles.directory(directory);
      PublicFiles.directory(javaHere);
      if (Files.isDirectory(classes)) {
        PublicFiles.directory(classesHere);
        mounts.add(new Program.Mount(classes, classesHere));
      } else {
        Files.copy(classes, classesHere, StandardCopyOption.REPLACE_EXISTING);
        PublicFiles.open(classesHere);
      }
      return new Images(javaHere, classesHere, mounts);
    } catch (IOException e) {
      throw new LaunchException("cannot make " + directory + ": " + e, e);
    }
  }

  /**
   * Removes what {@link #in} made, and nothing else.
   *
   * @throws LaunchException it cannot be removed
   */
  public static void remove(Path directory) {
    try {
      for (var name : List.of(JAVA, CLASSES, JAR)) {
        Files.deleteIfExists(directory.resolve(name)); // as empty as it was made
      }
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw new LaunchException("cannot remove " + directory + ": " + e, e);
    }
  }

  private static Path classPath() {
    try {
      return Path.of(
          EchoServerMain.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new LaunchException("no path of " + EchoServerMain.class, e);
    }
  }

  /**
   * The program of a container.
   *
   * @param index of the container in its Pod, for the message
   */
  Program program(Pod pod, int index, String node) {
    var container = pod.spec().containers().get(index);
    if (!container.command().isEmpty()) {
      var words = new ArrayList<>(container.command());
      words.addAll(container.args());
      return new Program.Runs(words, List.of());
    }
    var image = container.image();
    if (!image.equals(ECHO) && !image.startsWith(ECHO + ":")) {
      return new Program.Refused(
          "ErrImageNeverPull",
          "image \"%s\" can't be run: process Pods run a command; give spec.containers[%d].command, or image %s"
              .formatted(image, index, ECHO));
    }
    var ports =
        container.ports().stream()
            .filter(port -> port.protocol() == Protocol.TCP)
            .map(port -> Integer.toString(port.containerPort()))
            .toList();
    if (ports.isEmpty()) {
      return new Program.Refused(
          "CreateContainerConfigError",
          "image %s answers on its container's ports: give spec.containers[%d].ports with protocol TCP"
              .formatted(ECHO, index));
    }
    var words = new ArrayList<String>();
    words.add(javaHere.resolve("bin/java").toString());
    // small, and quick to start
    words.addAll(List.of("-Xmx24m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"));
    words.add("-XX:+ExitOnOutOfMemoryError"); // it is started again
    words.addAll(List.of("-cp", classesHere.toString(), EchoServerMain.class.getName()));
    words.addAll(List.of("--pod", pod.meta().name(), "--node", node));
    ports.forEach(port -> words.addAll(List.of("--port", port)));
    return new Program.Runs(words, mounts);
  }
}
