package io.fairlead.devkit.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class PublicFilesTest {
  @TempDir Path directory;

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  @Test
  void areReadByAllWhateverTheUmask() throws IOException {
    var java =
        Command.java(
            "writer",
            Writer.class,
            List.of("-Xmx32m"),
            List.of(directory.toString()),
            directory.resolve("log"));
    var writer =
        ChildProcess.start(java.through(List.of("/bin/sh", "-c", "umask 077; exec \"$0\" \"$@\"")));
    assertThat(writer.exitsWithin(Duration.ofSeconds(50))).isTrue();
    assertThat(writer.exitStatus()).as(writer.logTail(20)).isEqualTo(OptionalInt.of(0));

    assertThat(mode(directory.resolve("a"))).isEqualTo("rwxr-xr-x");
    assertThat(mode(directory.resolve("a/b"))).isEqualTo("rwxr-xr-x");
    assertThat(mode(directory.resolve("a/b/file"))).isEqualTo("rw-r--r--");
  }

  static final class Writer {
    public static void main(String[] words) throws IOException {
      var place = Path.of(words[0], "a", "b");
      PublicFiles.directory(place);
      PublicFiles.write(place.resolve("file"), "text");
    }
  }

  @Test
  void openWhatWasThereAndNothingAboveIt() throws IOException {
    var closed = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    var above = Files.createDirectory(directory.resolve("above"), closed);
    var there = Files.createDirectory(above.resolve("there"), closed);

    PublicFiles.directory(there);

    assertThat(mode(there)).isEqualTo("rwxr-xr-x");
    assertThat(mode(above)).isEqualTo("rwx------");
  }

  @Test
  void areNotMadeInPlaceOfAFile() throws IOException {
    var file = Files.createFile(directory.resolve("file"));
    assertThatThrownBy(() -> PublicFiles.directory(file))
        .isInstanceOf(FileAlreadyExistsException.class);
  }
}
