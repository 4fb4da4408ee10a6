package io.fairlead.standalone.plane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.cli.plane.ProcessId;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.standalone.plane.PlaneConfig.PortsChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class DataDirectoryTest {
  private static final long ME = DataDirectory.caller();
  private static final long SOMEBODY = ME + 4711;

  @TempDir Path temporary;
  private Path data;

  @BeforeEach
  void make() throws IOException {
    data = Files.createDirectory(temporary.toRealPath().resolve("data"));
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private PlaneFiles files(long user) {
    return new PlaneFiles(Map.of(), user);
  }

  private void isUntouched() throws IOException {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data)))
        .isEqualTo("rwxr-xr-x");
  }

  @Test
  void isMadeForItsOwnersEyesOnly() throws IOException {
    var made = DataDirectory.prepare(Optional.of(data.resolve("new")), files(ME));

    assertThat(made).isEqualTo(data.resolve("new"));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
        .isEqualTo("rwx------");
  }

  @Test
  void isNoneThatHoldsSomethingElseAlsoWhereTheVariableNamesIt() throws IOException {
    Files.writeString(data.resolve("passwd"), "x");
    var files = new PlaneFiles(Map.of(PlaneFiles.DATA_DIR, data.toString()), ME);

    assertThatThrownBy(() -> DataDirectory.prepare(Optional.empty(), files))
        .isInstanceOf(LaunchException.class)
        .hasMessage(
            "FAIRLEAD_DATA_DIR %s: is not empty and not a data directory of fairlead; name a new one",
            data);
    isUntouched();
  }

  @Test
  void isTakenAgainByThePlaneThatHadIt() throws IOException {
    Files.createFile(Instance.lockFile(data));
    Files.writeString(data.resolve("objects"), "x");

    assertThat(DataDirectory.prepare(Optional.of(data), files(ME))).isEqualTo(data);
  }

  @Test
  void isTheDefaultOneAlsoWhereItHoldsFiles() throws IOException {
    long user = ME == 0 ? 65534 : ME; // root's default directory is the machine's own
    var standard = Files.createDirectories(data.resolve("fairlead"));
    Files.createDirectory(standard.resolve("run"));
    if (user != ME) {
      Files.setAttribute(standard, "unix:uid", (int) user);
    }
    var files = new PlaneFiles(Map.of("XDG_STATE_HOME", data.toString()), user);
    assertThat(DataDirectory.prepare(Optional.empty(), files)).isEqualTo(standard);
  }

  @Test
  void isNotAnotherUsers() throws IOException {
    assertThatThrownBy(() -> DataDirectory.prepare(Optional.of(data), files(SOMEBODY)))
        .isInstanceOf(LaunchException.class)
        .hasMessage(
            "data directory %s: belongs to the user with id %d, not to you (id %d); run this as its user or name another one",
            data, ME, SOMEBODY);
    isUntouched();
    assertThat(data).isEmptyDirectory();
  }

  @Test
  void whoHasItIsNotBelievedFromAnotherUser() throws IOException {
    var owner = new Owner(ProcessId.self(), 0, PortsChoice.FREE);
    owner.write(data);

    assertThat(Owner.of(data, ME)).contains(owner);
    assertThat(Owner.of(data, SOMEBODY)).isEmpty();
  }

  @Test
  void isNobodysWhileItIsNotThere() {
    DataDirectory.requireOwn(data.resolve("later"), SOMEBODY);
  }
}
