package io.fairlead.cli;

import io.fairlead.api.Timestamps;
import io.fairlead.api.table.TextTable;
import io.fairlead.api.table.TextTable.Growing;
import io.fairlead.api.table.TextTable.Heads;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.v1.LogEntry;
import io.fairlead.v1.ReadLogReply;
import io.fairlead.v1.ReadLogRequest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.PriorityQueue;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead log tail}: what the log retains, in the order of time. */
@Command(
    name = "tail",
    description = "Prints the entries that the log retains, and with -f those that come.")
final class LogTailCommand implements Callable<Integer> {
  @ParentCommand private LogCommand log;

  @Option(
      names = "--tail",
      paramLabel = "count",
      description = "Only so many of the last entries; -n with a number is the same.")
  private @Nullable Integer tail;

  @Option(
      names = {"-f", "--follow"},
      description = "Goes on with entries that come, until it is interrupted.")
  private boolean follow;

  @Option(names = "--no-headers", description = "A table without its heads.")
  private boolean noHeaders;

  @Override
  public Integer call() {
    var fairlead = log.fairlead();
    var count = count(fairlead);
    try (var session = fairlead.session()) {
      var reading = new Tail(fairlead.console(), count);
      if (follow) {
        Interrupts.endingWell(fairlead.console(), () -> reading.read(session));
      } else {
        reading.read(session);
      }
      return 0;
    }
  }

  /** {@code -n}, the namespace of other verbs, has none here: the log is of all of them. */
  private OptionalInt count(Fairlead fairlead) {
    if (tail != null) {
      if (tail < 0) {
        throw new UsageException("error: --tail must not be negative");
      }
      return OptionalInt.of(tail);
    }
    var given = fairlead.namespaceOption();
    if (given.isEmpty()) {
      return OptionalInt.empty();
    }
    if (!given.get().matches("[0-9]{1,9}")) {
      throw new UsageException(
          "error: -n is the number of entries here, not \"" + given.get() + "\"");
    }
    return OptionalInt.of(Integer.parseInt(given.get()));
  }

  /** Entries of several partitions come mixed; time orders them as far as clocks do. */
  private static final Comparator<LogEntry> BY_TIME =
      Comparator.<LogEntry, Instant>comparing(e -> Timestamps.model(e.getAppended()))
          .thenComparing(LogEntry::getPartition)
          .thenComparingLong(LogEntry::getOffset);

  private final class Tail {
    private final Console console;
    private final OptionalInt count;
    private final Growing growing = new Growing();
    private final PriorityQueue<LogEntry> retained = new PriorityQueue<>(BY_TIME);
    private Optional<Position> read = Optional.empty();
    private boolean begun;
    private boolean headed;

    Tail(Console console, OptionalInt count) {
      this.console = console;
      this.count = count;
    }

    void read(Session session) {
      session.readLog(stub -> stub.read(request()), () -> {}, this::take);
    }

    /** A stream that broke goes on where it was. */
    private ReadLogRequest request() {
      var request = ReadLogRequest.newBuilder().setFollow(follow);
      read.ifPresent(position ->
          request
              .getFromBuilder()
              .setLog(position.log().toString())
              .setOffsets(position.offsets()));
      return request.build();
    }

    private Then take(ReadLogReply reply) {
      return switch (reply.getMessageCase()) {
        case BEGIN -> {
          if (read.isEmpty()) {
            read = LogIdentity.parse(reply.getBegin().getEnd().getLog()).map(Position::start);
          }
          yield Then.MORE;
        }
        case ENTRY -> {
          var entry = reply.getEntry();
          read = read.map(position -> behind(position, entry));
          yield begun ? print(List.of(entry)) : keep(entry);
        }
        case END -> {
          if (begun) {
            yield Then.MORE;
          }
          begun = true;
          var entries = new ArrayList<LogEntry>(retained.size());
          while (!retained.isEmpty()) {
            entries.add(retained.remove());
          }
          yield print(entries);
        }
        case MESSAGE_NOT_SET -> Then.MORE; // a newer server tells more
      };
    }

    private Then keep(LogEntry entry) {
      retained.add(entry);
      if (count.isPresent() && retained.size() > count.getAsInt()) {
        retained.remove();
      }
      return Then.MORE;
    }

    private Then print(List<LogEntry> entries) {
      if (entries.isEmpty()) {
        return Then.MORE;
      }
      var table =
          new TextTable(
              List.of("TIME", "POSITION", "EVENT", "OBJECT", "BY", "DETAIL"),
              entries.stream().map(LogRows::row).toList());
      console.out().print(growing.text(table, headed || noHeaders ? Heads.HIDDEN : Heads.SHOWN));
      headed = true;
      return console.out().checkError() ? Then.ENOUGH : Then.MORE;
    }
  }

  private static Position behind(Position position, LogEntry entry) {
    return LogPartition.parse(entry.getPartition())
        .map(partition -> position.with(partition, entry.getOffset() + 1))
        .orElse(position);
  }
}
