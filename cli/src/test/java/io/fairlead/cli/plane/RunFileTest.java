package io.fairlead.cli.plane;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.cli.plane.RunFile.Found;
import io.fairlead.runtime.HostPort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class RunFileTest {
  private static final long SOMEBODY = 4711;

  @TempDir Path directory;
  private PlaneFiles files;

  @BeforeEach
  void asAUser() {
    long self = PlaneFiles.of(Map.of()).user();
    files =
        new PlaneFiles(
            Map.of("XDG_RUNTIME_DIR", directory.toString(), "HOME", directory.toString()),
            self == 0 ? SOMEBODY : self); // what root wrote, everybody believes
  }

  private static RunFile plane(Path data, ProcessId process) {
    return new RunFile(
        PlaneFiles.instanceId(data),
        data,
        process,
        List.of(HostPort.of("127.0.0.1:7401")),
        List.of(HostPort.of("127.0.0.1:7402"), HostPort.of("169.254.1.1:7402")),
        List.of(HostPort.of("127.0.0.1:7404")),
        List.of(HostPort.of("172.30.1.1:53")),
        List.of(
            new RunFile.Node("node-a", "fl-x-node-a", "172.30.1.11"),
            new RunFile.Node("node-b", "fl-x-node-b", "172.30.1.12")),
        Optional.of("fl-x-fabric"),
        Optional.of("172.30.1.1"));
  }

  @Test
  void readsWhatWasWritten() throws IOException {
    var plane = plane(directory.resolve("a b=c,d"), ProcessId.self());
    var file = RunFile.file(files, plane.id());

    plane.write(file);

    assertThat(RunFile.read(file)).contains(plane);
    assertThat(RunFile.all(files)).contains(plane);
    assertThat(file).hasParent(directory.resolve("fairlead"));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-r--r--");
  }

  @Test
  void readsAPlaneWithoutNodes() throws IOException {
    var with = plane(directory, ProcessId.self());
    var without =
        new RunFile(
            with.id(),
            with.dataDirectory(),
            with.process(),
            with.allocator(),
            with.endpoints(),
            List.of(),
            with.dns(),
            List.of(),
            Optional.empty(),
            Optional.empty());

    without.write(directory.resolve("x.properties"));

    assertThat(RunFile.read(directory.resolve("x.properties"))).contains(without);
  }

  @Test
  void takesNoFileForAPlaneThatIsNone() throws IOException {
    var file = Files.writeString(directory.resolve("x.properties"), "id=x\npid=a\n");

    assertThat(RunFile.read(file)).isEmpty();
    assertThat(RunFile.read(directory.resolve("absent"))).isEmpty();
  }

  @Test
  void findsThePlaneOfTheDataDirectoryAndNoOther() throws IOException {
    var data = Files.createDirectory(directory.resolve("data"));
    var plane = plane(data, ProcessId.self());
    plane.write(RunFile.file(files, plane.id()));

    assertThat(RunFile.find(files, Optional.of(data))).isEqualTo(new Found.One(plane));
    assertThat(RunFile.find(files, Optional.of(directory.resolve("other"))))
        .isEqualTo(new Found.Nothing());
  }

  @Test
  void findsNoPlaneThatCrashed() throws IOException {
    var plane = plane(directory, new ProcessId(ProcessId.self().pid(), "before"));
    plane.write(RunFile.file(files, plane.id()));

    assertThat(plane.isLive()).isFalse();
    assertThat(RunFile.find(files, Optional.of(directory))).isEqualTo(new Found.Nothing());
  }

  @Test
  void believesNoLinkAndNoFileThatOthersCanWrite() throws IOException {
    var plane = plane(directory.resolve("data"), ProcessId.self());
    var file = RunFile.file(files, plane.id());
    var elsewhere = directory.resolve("elsewhere/" + plane.id() + ".properties");
    plane.write(elsewhere);
    Files.createDirectory(file.getParent());
    Files.createSymbolicLink(file, elsewhere);
    assertThat(RunFile.all(files)).as("a link").doesNotContain(plane);
    assertThat(RunFile.read(file)).as("a link").isEmpty();

    Files.delete(file);
    plane.write(file);
    assertThat(RunFile.all(files)).contains(plane);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-r--"));
    assertThat(RunFile.all(files)).as("others write it").doesNotContain(plane);

    plane.write(file);
    Files.setPosixFilePermissions(file.getParent(), PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(RunFile.all(files)).as("others write its directory").doesNotContain(plane);

    Files.setPosixFilePermissions(file.getParent(), PosixFilePermissions.fromString("rwx------"));
    plane.write(file);
    assertThat(RunFile.all(files)).contains(plane);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())))
        .as("whatever the umask made of it")
        .isEqualTo("rwxr-xr-x");
    var real = Files.move(file.getParent(), directory.resolve("moved"));
    Files.createSymbolicLink(file.getParent(), real);
    assertThat(RunFile.all(files)).as("its directory is a link").doesNotContain(plane);
  }

  @Test
  void believesNoOtherUser() throws IOException {
    Assumptions.assumeTrue(PlaneFiles.of(Map.of()).isRoot(), "only root gives files away");
    var plane = plane(directory.resolve("data"), ProcessId.self());
    var file = RunFile.file(files, plane.id());
    plane.write(file);
    Files.setAttribute(file.getParent(), "unix:uid", 4712);
    assertThat(RunFile.all(files)).as("another's directory").doesNotContain(plane);
    Files.setAttribute(file.getParent(), "unix:uid", 0);
    Files.setAttribute(file, "unix:uid", 4712);
    assertThat(RunFile.all(files)).as("another's file").doesNotContain(plane);
    Files.setAttribute(file, "unix:uid", (int) SOMEBODY);
    assertThat(RunFile.all(files)).contains(plane);
  }

  @Test
  void choosesTheDefaultOneThenTheOnlyOne() {
    var byDefault = plane(files.dataDirectory(), ProcessId.self());
    var other = plane(directory.resolve("other"), ProcessId.self());
    var third = plane(directory.resolve("third"), ProcessId.self());

    assertThat(RunFile.choose(files, Optional.empty(), List.of(other, byDefault)))
        .isEqualTo(new Found.One(byDefault));
    assertThat(RunFile.choose(files, Optional.empty(), List.of(other)))
        .isEqualTo(new Found.One(other));
    assertThat(RunFile.choose(files, Optional.empty(), List.of())).isEqualTo(new Found.Nothing());
    var several = RunFile.choose(files, Optional.empty(), List.of(other, third));
    assertThat(several).isEqualTo(new Found.Several(List.of(other, third)));
    assertThat(((Found.Several) several).words())
        .contains("--data-dir " + other.dataDirectory(), "--data-dir " + third.dataDirectory());
  }

  /** Somebody may work with the only one that there is. */
  @Test
  void onlyOneThatIsNamedOrTheDefaultOneIsEnded() {
    var byDefault = plane(files.dataDirectory(), ProcessId.self());
    var other = plane(directory.resolve("other"), ProcessId.self());
    var data = Optional.of(other.dataDirectory());

    assertThat(RunFile.chooseNamed(files, Optional.empty(), List.of(other, byDefault)))
        .isEqualTo(new Found.One(byDefault));
    assertThat(RunFile.chooseNamed(files, data, List.of(other, byDefault)))
        .isEqualTo(new Found.One(other));
    assertThat(RunFile.chooseNamed(files, data, List.of(byDefault))).isEqualTo(new Found.Nothing());
    assertThat(RunFile.chooseNamed(files, Optional.empty(), List.of()))
        .isEqualTo(new Found.Nothing());
    var only = RunFile.chooseNamed(files, Optional.empty(), List.of(other));
    assertThat(only).isEqualTo(new Found.Several(List.of(other)));
    assertThat(((Found.Several) only).words())
        .isEqualTo(
            "error: the plane that runs here has another data directory; if it is meant, name it:\n  --data-dir %s (pid %d)"
                .formatted(other.dataDirectory(), other.pid()));
    var crashed = plane(directory.resolve("a dir"), new ProcessId(other.pid(), "before"));
    var left = RunFile.chooseNamed(files, Optional.empty(), List.of(crashed));
    assertThat(((Found.Several) left).words())
        .isEqualTo(
            "error: the plane that crashed here and left something behind has another data directory; if it is meant, name it:\n  --data-dir '%s' (crashed)"
                .formatted(crashed.dataDirectory()));
    var inVariable =
        new PlaneFiles(Map.of(PlaneFiles.DATA_DIR, other.dataDirectory().toString()), SOMEBODY);
    assertThat(RunFile.chooseNamed(inVariable, Optional.empty(), List.of(other, byDefault)))
        .isEqualTo(new Found.One(other));
  }

  @Test
  void givesADirectoryOneIdHoweverItIsWritten() throws IOException {
    var data = Files.createDirectory(directory.resolve("data"));
    var link = Files.createSymbolicLink(directory.resolve("link"), data);

    assertThat(PlaneFiles.instanceId(link)).isEqualTo(PlaneFiles.instanceId(data));
    assertThat(PlaneFiles.instanceId(data.resolve("..").resolve("data")))
        .isEqualTo(PlaneFiles.instanceId(data))
        .matches("[a-z0-9]{8}");
    assertThat(PlaneFiles.instanceId(link.resolve("new")))
        .isEqualTo(PlaneFiles.instanceId(data.resolve("new")));
  }

  @Test
  void knowsTheProcessThatLives() {
    assertThat(ProcessId.self().isAlive()).isTrue();
    assertThat(ProcessId.of(Integer.MAX_VALUE)).isEmpty();
  }
}
