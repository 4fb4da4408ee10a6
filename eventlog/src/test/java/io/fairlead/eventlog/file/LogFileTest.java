package io.fairlead.eventlog.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.ByteString;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.codec.RandomEvents;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class LogFileTest {
  private static final LogIdentity LOG = new LogIdentity("services", "pods");
  private static final Partitioning PARTITIONING = new Partitioning(3);
  private static final Instant NOON = Instant.parse("2026-11-01T12:00:00Z");

  private static List<LogEntry> random(long seed, int count) {
    var events = new RandomEvents(seed, PARTITIONING);
    var position = Position.start(LOG);
    var log = new ArrayList<LogEntry>();
    for (int i = 0; i < count; i++) {
      var event = events.event();
      var partition = PARTITIONING.of(event.key());
      log.add(new LogEntry(partition, position.of(partition), NOON.plusMillis(i), event));
      position = position.with(partition, position.of(partition) + 1 + i % 2);
    }
    return log;
  }

  private static Position end(List<LogEntry> log) {
    var end = Position.start(LOG);
    for (var entry : log) {
      end = end.with(entry.partition(), entry.offset() + 1);
    }
    return end;
  }

  private static LogFileHeader header(Position since, Position until) {
    return new LogFileHeader(Position.start(LOG), since, until, NOON);
  }

  private static byte[] written(List<LogEntry> log) throws IOException {
    var out = new ByteArrayOutputStream();
    var writer = new LogFileWriter(out, header(Position.start(LOG), end(log)));
    for (var entry : log) {
      writer.write(
          new RawEntry(
              entry.partition(),
              entry.offset(),
              entry.timestamp(),
              entry.event().key().toString(),
              EventCodec.value(entry.event()).map(ByteString::copyFrom)));
    }
    writer.finish(NOON.minusSeconds(7));
    return out.toByteArray();
  }

  private static List<LogEntry> read(LogFileReader reader) throws IOException {
    var log = new ArrayList<LogEntry>();
    for (var entry = reader.next(); entry.isPresent(); entry = reader.next()) {
      entry.get().decode().ifPresent(log::add);
    }
    return log;
  }

  private static void drain(LogFileReader reader) throws IOException {
    while (reader.next().isPresent()) {}
  }

  private static LogFileReader reader(byte[] file) throws IOException {
    return new LogFileReader(new ByteArrayInputStream(file));
  }

  private static ClusterImage image(List<LogEntry> log) {
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    log.forEach(delta::replay);
    return delta.apply();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void givesBackWhatWasWritten(long seed) throws IOException {
    var log = random(seed, 300);
    var reader = reader(written(log));
    assertThat(reader.header()).isEqualTo(header(Position.start(LOG), end(log)));
    assertThat(reader.header().isFromTheBeginning()).isTrue();
    var back = read(reader);
    assertThat(back).isEqualTo(log);
    assertThat(reader.completeSince()).isEqualTo(NOON.minusSeconds(7));
    assertThat(reader.next()).isEmpty();
    for (var partition : PARTITIONING.all()) {
      assertThat(image(back).digest(partition)).isEqualTo(image(log).digest(partition));
    }
  }

  @Test
  void anEmptyLogIsAFileToo() throws IOException {
    assertThat(read(reader(written(List.of())))).isEmpty();
  }

  @Test
  void refusesAFileThatWasCutOff() throws IOException {
    var file = written(random(6, 5));
    for (int length = 8; length < file.length; length++) {
      var cut = Arrays.copyOf(file, length);
      assertThatExceptionOfType(LogFileException.class)
          .as("%d of %d bytes", length, file.length)
          .isThrownBy(() -> read(reader(cut)))
          .withMessageMatching("cut off after [0-5] entries");
    }
  }

  @Test
  void refusesAFileThatWasChanged() throws IOException {
    var file = written(random(7, 5));
    for (int at = 0; at < file.length; at++) {
      for (int bit = 0; bit < 8; bit++) {
        var changed = file.clone();
        changed[at] ^= (byte) (1 << bit);
        assertThatExceptionOfType(LogFileException.class)
            .as("bit %d of byte %d of %d", bit, at, file.length)
            .isThrownBy(() -> drain(reader(changed)));
      }
    }
    var longer = Arrays.copyOf(file, file.length + 1);
    assertThatExceptionOfType(LogFileException.class)
        .isThrownBy(() -> read(reader(longer)))
        .withMessage("damaged: something follows its end");
  }

  @Test
  void refusesOtherFiles() {
    for (var other : List.of("", "FLEAD", "apiVersion: v1\nkind: Service\n")) {
      assertThatExceptionOfType(LogFileException.class)
          .isThrownBy(() -> reader(other.getBytes(StandardCharsets.UTF_8)))
          .withMessage("not a file that fairlead log export wrote");
    }
  }

  @Test
  void refusesEntriesOutsideOfWhatItSaysItHolds() throws IOException {
    var out = new ByteArrayOutputStream();
    var services = LogPartition.SERVICES;
    var start = Position.start(LOG);
    var writer = new LogFileWriter(out, header(start.with(services, 2), start.with(services, 5)));
    writer.write(
        new RawEntry(services, 1, NOON, "Service/default/web", java.util.Optional.empty()));
    writer.finish(NOON);
    var reader = reader(out.toByteArray());
    assertThat(reader.header().isFromTheBeginning()).isFalse();
    assertThatExceptionOfType(LogFileException.class)
        .isThrownBy(reader::next)
        .withMessage("damaged: s:1 does not belong after entry 0");
  }
}
