package io.fairlead.cli;

import static java.util.Objects.requireNonNull;

import io.fairlead.api.PositionCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.file.LogFileHeader;
import io.fairlead.eventlog.file.LogFileWriter;
import io.fairlead.v1.LogEntry;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.ReadLogBegin;
import io.fairlead.v1.ReadLogReply;
import io.fairlead.v1.ReadLogRequest;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead log export}. */
@Command(
    name = "export",
    description =
        "Writes all entries that the log retains into a file, which fairlead replay reads with nothing else running.")
final class LogExportCommand implements Callable<Integer> {
  private static final String STDOUT = "-";

  @ParentCommand private LogCommand log;

  @Parameters(
      paramLabel = "FILE",
      description =
          "Replaced when all is written; readable by its owner only, since it holds what manifests say. - for standard output.")
  private String file;

  @Option(
      names = "--since",
      paramLabel = "position",
      defaultValue = "",
      description =
          "Only entries from there on, as log tail shows it, e.g. s:13,p0:4 (of partitions that it does not name, all). Such a file cannot be replayed by itself.")
  private String since;

  @Override
  public Integer call() throws IOException {
    var console = log.fairlead().console();
    try (var session = log.fairlead().session()) {
      var from = from(session);
      if (file.equals(STDOUT)) {
        var export = new Export(console, session.time(), console.out());
        export.run(session, from);
        if (console.out().checkError()) {
          return 1; // nobody reads it
        }
        console.err().println(export.words("standard output"));
        return 0;
      }
      try (var target = ReplacedFile.of(Path.of(file))) {
        var out = new BufferedOutputStream(target.out(), 1 << 16);
        var export = new Export(console, session.time(), out);
        export.run(session, from);
        out.flush();
        target.commit();
        console.err().println(export.words(file));
        return 0;
      } catch (UncheckedIOException e) {
        throw failed(requireNonNull(e.getCause())); // its constructor wants one
      } catch (IOException e) {
        throw failed(e);
      }
    }
  }

  private CliException failed(IOException e) {
    return new CliException("error: " + file + " cannot be written: " + e.getMessage());
  }

  private Optional<io.fairlead.v1.Position> from(Session session) {
    if (since.isEmpty()) {
      return Optional.empty();
    }
    var any = new LogIdentity("", "");
    var wanted =
        Rewind.offsets(since, any)
            .orElseThrow(() ->
                new UsageException("error: --since=" + since + " is not a position (s:13,p0:4)"));
    var status = session.log(stub -> stub.status(LogStatusRequest.getDefaultInstance()));
    var log = Rewind.position(status.getPosition()).log();
    return Optional.of(PositionCodec.proto(new Position(log, wanted.next())));
  }

  /** One export; a stream that broke goes on where it was. */
  private static final class Export {
    private static final Duration BETWEEN_WORDS = Duration.ofSeconds(2);

    private final Console console;
    private final Time time;
    private final OutputStream out;
    private Optional<LogFileWriter> writer = Optional.empty();
    private Optional<LogFileHeader> header = Optional.empty();
    private Optional<Position> read = Optional.empty();
    private Instant completeSince = Instant.MIN;
    private long begunNanos;
    private long toldNanos;

    Export(Console console, Time time, OutputStream out) {
      this.console = console;
      this.time = time;
      this.out = out;
    }

    void run(Session session, Optional<io.fairlead.v1.Position> from) throws IOException {
      session.readLog(
          stub -> {
            var request = ReadLogRequest.newBuilder();
            read.map(PositionCodec::proto).or(() -> from).ifPresent(request::setFrom);
            return stub.read(request.build());
          },
          () -> {},
          this::take);
      var whole =
          writer.orElseThrow(() -> new CliException("error: the server told nothing of its log"));
      // compaction went on while this was read
      completeSince = completeSince.plusNanos(time.nanoTime() - begunNanos);
      whole.finish(completeSince);
    }

    private Then take(ReadLogReply reply) {
      try {
        switch (reply.getMessageCase()) {
          case BEGIN -> begin(reply.getBegin());
          case ENTRY -> entry(reply.getEntry());
          case END, MESSAGE_NOT_SET -> {}
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return Then.MORE; // it ends by itself
    }

    private void begin(ReadLogBegin begin) throws IOException {
      completeSince = Timestamps.model(begin.getCompleteSince());
      begunNanos = time.nanoTime();
      if (writer.isPresent()) {
        return;
      }
      var what =
          new LogFileHeader(
              Rewind.position(begin.getRetained()),
              Rewind.position(begin.getFrom()),
              Rewind.position(begin.getEnd()),
              time.now());
      header = Optional.of(what);
      read = Optional.of(what.since());
      writer = Optional.of(new LogFileWriter(out, what));
      toldNanos = time.nanoTime();
    }

    private void entry(LogEntry message) throws IOException {
      var entry = Rewind.raw(message);
      var until = header.orElseThrow().until();
      if (entry.offset() >= until.of(entry.partition())) {
        return; // came after the first stream had begun
      }
      writer.orElseThrow().write(entry);
      read = read.map(position -> position.with(entry.partition(), entry.offset() + 1));
      if (time.nanoTime() - toldNanos >= BETWEEN_WORDS.toNanos()) {
        toldNanos = time.nanoTime();
        console
            .err()
            .println(
                "%d entries, at %s of %s"
                    .formatted(
                        writer.orElseThrow().entries(),
                        read.orElseThrow().offsets(),
                        until.offsets()));
      }
    }

    String words(String where) {
      return "%d entries up to %s, complete since %s, in %s"
          .formatted(
              writer.orElseThrow().entries(),
              header.orElseThrow().until().offsets(),
              completeSince,
              where);
    }
  }
}
