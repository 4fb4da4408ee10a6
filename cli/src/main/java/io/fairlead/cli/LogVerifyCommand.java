package io.fairlead.cli;

import io.fairlead.api.DigestCodec;
import io.fairlead.api.table.TextTable;
import io.fairlead.api.table.TextTable.Heads;
import io.fairlead.core.image.DigestMarks;
import io.fairlead.core.image.PartitionObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.LogDigestsReply;
import io.fairlead.v1.LogDigestsRequest;
import io.fairlead.v1.LogObjectsRequest;
import io.grpc.Status.Code;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/**
 * {@code fairlead log verify}. Of every thousandth offset each replica keeps the digest of what it
 * had there; two that differ are a fault.
 */
@Command(
    name = "verify",
    description =
        "Compares what replicas had at every thousandth offset of the log, and what they have now where they are equally far; with the log itself, too, if asked to. Objects in which they differ are named.",
    exitCodeList = {
      "0:what was compared is the same",
      "1:some differ, or somebody could not be asked",
      "2:wrong usage, nothing was done",
      "3:nothing could be compared: there is one reader only, or they have nothing in common"
    })
final class LogVerifyCommand implements Callable<Integer> {
  /** Who stands for the log itself; no replica has such a name, which is one of a host. */
  private static final String REPLAY = "<replay>";

  private static final String NOTHING = "nothing in common";
  private static final int NOTHING_COMPARED = 3;

  /** So many objects of a partition are named. */
  private static final int NAMED = 20;

  @ParentCommand private LogCommand log;

  @Parameters(
      arity = "0..1",
      paramLabel = "FILE",
      description = "Also replays a file that log export wrote, and compares that.")
  private @Nullable Path file;

  @Option(
      names = "--replay",
      description = "Also replays the log of the plane from its beginning, and compares that.")
  private boolean replay;

  @Option(
      names = "--replica",
      paramLabel = "host:port,...",
      converter = Fairlead.Addresses.Converter.class,
      description =
          "Further replicas, as those of dns-service (its gRPC address, port 7403), which the other options do not name.")
  private Fairlead.@Nullable Addresses more;

  @Option(names = "--no-headers", description = "A table without its heads.")
  private boolean noHeaders;

  /**
   * Who has digests.
   *
   * @param address empty = the replay
   * @param ends how far it is in each partition, and the digest there
   */
  private record Reader(
      Optional<HostPort> address,
      String log,
      SortedMap<LogPartition, DigestMarks> marks,
      SortedMap<LogPartition, End> ends) {}

  private record End(long next, String digest) {}

  /** That some readers differ at an offset. */
  private record Fault(
      LogPartition partition, long offset, SortedMap<String, List<String>> holders) {}

  @Override
  public Integer call() {
    var console = log.fairlead().console();
    if (file != null && replay) {
      throw new CliException("error: either FILE or --replay");
    }
    try (var session = log.fairlead().session()) {
      var readers = new TreeMap<String, Reader>();
      var unreachable = new ArrayList<String>();
      ask(session, readers, unreachable);
      var replayed = replayed(session, readers);
      var faults = new ArrayList<Fault>();
      var rows = new ArrayList<List<String>>();
      for (var partition :
          readers.values().stream()
              .flatMap(r -> r.ends().keySet().stream())
              .distinct()
              .sorted()
              .toList()) {
        rows.add(compare(partition, readers, faults));
      }
      console
          .out()
          .print(
              new TextTable(
                      List.of("PARTITION", "DIGESTS", "FROM", "TO", "READERS", "RESULT"), rows)
                  .text(noHeaders ? Heads.HIDDEN : Heads.SHOWN));
      unreachable.forEach(words -> console.err().println(words));
      for (var fault : faults) {
        tell(session, fault, readers, replayed);
      }
      if (!unreachable.isEmpty() || !faults.isEmpty()) {
        return 1;
      }
      if (rows.stream().allMatch(row -> row.getLast().equals(NOTHING))) {
        console
            .err()
            .println(
                readers.size() < 2
                    ? "error: nothing was compared: %s is the only one that was asked; name further replicas with --replica or the server's addresses, or add --replay"
                        .formatted(readers.isEmpty() ? "nobody" : readers.firstKey())
                    : "error: nothing was compared: those that were asked have no digest in common, and none is as far as another");
        return NOTHING_COMPARED;
      }
      return 0;
    }
  }

  private void ask(Session session, SortedMap<String, Reader> readers, List<String> unreachable) {
    var addresses = new LinkedHashSet<HostPort>();
    addresses.addAll(session.settings().allocator());
    addresses.addAll(session.settings().endpoints());
    addresses.addAll(Optional.ofNullable(more).map(Fairlead.Addresses::all).orElse(List.of()));
    for (var address : addresses) {
      try {
        var reply =
            session.log(address, stub -> stub.digests(LogDigestsRequest.getDefaultInstance()));
        if (!reply.getEncoding().equals(EventCodec.digestVersion())) {
          unreachable.add(
              "%s at %s is of another version: its digests cannot be compared"
                  .formatted(reply.getReplica(), address));
          continue;
        }
        var name = reply.getReplica();
        readers.put(
            readers.containsKey(name) ? name + "@" + address : name, reader(address, reply));
      } catch (CallFailedException e) {
        if (e.report().code() == Code.UNIMPLEMENTED) {
          unreachable.add(address + " does not tell digests: it is of an older version");
        } else {
          unreachable.add(e.words());
        }
      }
    }
  }

  private static Reader reader(HostPort address, LogDigestsReply reply) {
    var marks = new TreeMap<LogPartition, DigestMarks>();
    var ends = new TreeMap<LogPartition, End>();
    for (var told : reply.getPartitionsList()) {
      var partition = LogPartition.parse(told.getPartition());
      var model = DigestCodec.model(told);
      if (partition.isEmpty() || model.isEmpty()) {
        throw new CliException(
            "error: what %s tells of partition \"%s\" cannot be read"
                .formatted(reply.getReplica(), told.getPartition()));
      }
      marks.put(partition.get(), model.get());
      ends.put(partition.get(), new End(told.getNext(), told.getDigest()));
    }
    return new Reader(Optional.of(address), reply.getLog(), marks, ends);
  }

  /** The log itself among the readers, if that was asked for. */
  private Optional<ReplayedTrail> replayed(Session session, SortedMap<String, Reader> readers) {
    if (file == null && !replay) {
      return Optional.empty();
    }
    var trail = file == null ? ReplayedTrail.live(session) : ReplayedTrail.file(file);
    var identity = trail.position().log().toString();
    for (var reader : readers.entrySet()) {
      if (!reader.getValue().log().equals(identity)) {
        throw new CliException(
            "error: %s is of the log %s, but %s follows %s"
                .formatted(
                    file == null ? "the replay" : file.toString(),
                    identity,
                    reader.getKey(),
                    reader.getValue().log()));
      }
    }
    var ends = new TreeMap<LogPartition, End>();
    trail
        .position()
        .next()
        .forEach((partition, next) ->
            ends.put(partition, new End(next, trail.digest(partition).toString())));
    readers.put(REPLAY, new Reader(Optional.empty(), identity, trail.marks(), ends));
    return Optional.of(trail);
  }

  private static List<String> compare(
      LogPartition partition, SortedMap<String, Reader> readers, List<Fault> faults) {
    var marks = new TreeMap<String, DigestMarks>();
    var ends = new TreeMap<Long, SortedMap<String, List<String>>>();
    readers.forEach((name, reader) -> {
      var known = reader.marks().get(partition);
      if (known != null) {
        marks.put(name, known);
      }
      var end = reader.ends().get(partition);
      if (end != null) {
        ends.computeIfAbsent(end.next(), _ -> new TreeMap<>())
            .computeIfAbsent(end.digest(), _ -> new ArrayList<>())
            .add(name);
      }
    });
    var comparison = DigestMarks.compare(marks);
    var fault =
        comparison
            .differs()
            .map(d -> new Fault(partition, d.offset(), d.holders()))
            .or(() ->
                ends.entrySet().stream()
                    .filter(e -> e.getValue().size() > 1)
                    .map(e -> new Fault(partition, e.getKey(), e.getValue()))
                    .findFirst());
    fault.ifPresent(faults::add);
    boolean isCompared =
        comparison.numbers() > 0
            || ends.values().stream()
                .anyMatch(d -> d.values().stream().mapToInt(List::size).sum() > 1);
    return List.of(
        partition.toString(),
        Long.toString(comparison.numbers()),
        offset(comparison.from()),
        offset(comparison.to()),
        String.join(
            ",",
            ends.values().stream()
                .flatMap(d -> d.values().stream())
                .flatMap(List::stream)
                .sorted()
                .toList()),
        fault.map(f -> "differ at " + f.offset()).orElse(isCompared ? "same" : NOTHING));
  }

  private static String offset(long number) {
    return number == 0 ? "-" : Long.toString(number * DigestMarks.EVERY);
  }

  /** Who has what, and the objects in which one of each kind differ from one of the others now. */
  private void tell(
      Session session,
      Fault fault,
      SortedMap<String, Reader> readers,
      Optional<ReplayedTrail> replayed) {
    var err = log.fairlead().console().err();
    err.printf(
        "Fault: %s differs at %s:%d:%n", fault.partition(), fault.partition(), fault.offset());
    fault
        .holders()
        .forEach((digest, names) -> err.printf("  %s: %s%n", digest, String.join(",", names)));
    var names = fault.holders().values().stream().map(List::getFirst).toList();
    // what can be asked again goes first: the replay stays where it is
    var first = names.stream().filter(name -> !name.equals(REPLAY)).findFirst().orElseThrow();
    for (var other : names) {
      if (other.equals(first)) {
        continue;
      }
      try {
        var differences = differences(session, fault.partition(), first, other, readers, replayed);
        differences.stream().limit(NAMED).forEach(d -> err.println("  " + d.words(first, other)));
        if (differences.size() > NAMED) {
          err.printf("  and %d more%n", differences.size() - NAMED);
        }
        if (differences.isEmpty()) {
          err.printf(
              "  no object can be named in which %s and %s differ: what changed since, or is written meanwhile, tells nothing%n",
              first, other);
        }
      } catch (CallFailedException e) {
        err.println("  " + e.words());
      }
    }
  }

  private static List<PartitionObjects.Difference> differences(
      Session session,
      LogPartition partition,
      String first,
      String other,
      SortedMap<String, Reader> readers,
      Optional<ReplayedTrail> replayed) {
    var one = readers.get(first);
    var two = readers.get(other);
    if (one == null || two == null) {
      throw new IllegalStateException(first + ", " + other);
    }
    var log = one.log();
    if (two.address().isEmpty()) {
      var trail = replayed.orElseThrow();
      var end = trail.objects(partition);
      var there = objects(session, one, partition, log, end.next());
      // where the replica has not gone on, it also tells what it lacks
      var earlier = Optional.of(there).filter(found -> found.next() == end.next());
      return PartitionObjects.differences(earlier, there, end);
    }
    var earlier = objects(session, one, partition, log, 0);
    var there = objects(session, two, partition, log, earlier.next());
    return PartitionObjects.differences(
        Optional.of(earlier), objects(session, one, partition, log, there.next()), there);
  }

  private static PartitionObjects objects(
      Session session, Reader reader, LogPartition partition, String log, long atLeast) {
    var request =
        LogObjectsRequest.newBuilder()
            .setPartition(partition.toString())
            .setWaitFor(
                io.fairlead.v1.Position.newBuilder()
                    .setLog(log)
                    .setOffsets(atLeast == 0 ? "" : partition + ":" + atLeast))
            .build();
    return session.log(
        reader.address().orElseThrow(), stub -> DigestCodec.model(stub.objects(request)));
  }
}
