package io.fairlead.cli;

import io.fairlead.api.table.TextTable;
import io.fairlead.api.table.TextTable.Heads;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.PartitionStatus;
import io.fairlead.v1.Position;
import io.grpc.Status.Code;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/**
 * {@code fairlead log status}. Two replicas at the same offset of a partition must have the same
 * digest; where they do not, that is a fault and the exit code is 1.
 */
@Command(
    name = "status",
    description = "Shows how far each replica has read the log, and the digest of what it knows.")
final class LogStatusCommand implements Callable<Integer> {
  @ParentCommand private LogCommand log;

  @Option(
      names = "--wait",
      description = "Waits until all replicas have read what any of them has, then compares.")
  private boolean wait;

  @Option(names = "--no-headers", description = "A table without its heads.")
  private boolean noHeaders;

  /** What one replica said. */
  private record Answer(HostPort address, LogStatusReply reply) {}

  /** A state of a partition that one or several replicas are in. */
  private record State(long next, String digest, long objects, String owner) {}

  @Override
  public Integer call() {
    var fairlead = log.fairlead();
    var console = fairlead.console();
    try (var session = fairlead.session()) {
      var replicas = new LinkedHashSet<HostPort>(session.settings().allocator());
      replicas.addAll(session.settings().endpoints());
      var unreachable = new ArrayList<String>();
      var answers = ask(session, replicas, Optional.empty(), unreachable);
      if (wait) {
        var target = furthest(answers);
        answers = ask(session, answers.stream().map(Answer::address).toList(), target, unreachable);
      }
      console.out().print(table(answers).text(noHeaders ? Heads.HIDDEN : Heads.SHOWN));
      unreachable.forEach(words -> console.err().println(words));
      var faults = faults(answers);
      faults.forEach(fault -> console.err().println("Fault: " + fault));
      return unreachable.isEmpty() && faults.isEmpty() ? 0 : 1;
    }
  }

  private static List<Answer> ask(
      Session session,
      Iterable<HostPort> replicas,
      Optional<Position> waitFor,
      List<String> unreachable) {
    var request = LogStatusRequest.newBuilder();
    waitFor.ifPresent(request::setWaitFor);
    var answers = new ArrayList<Answer>();
    for (var replica : replicas) {
      try {
        answers.add(
            new Answer(replica, session.log(replica, stub -> stub.status(request.build()))));
      } catch (CallFailedException e) {
        if (e.report().code()
            != Code.UNIMPLEMENTED) { // such a service has no state of its own to show
          unreachable.add(e.words());
        }
      }
    }
    return answers;
  }

  /** What all of them together have read; empty where nobody answered, or not of one log. */
  private static Optional<Position> furthest(List<Answer> answers) {
    if (answers.stream().map(a -> a.reply().getPosition().getLog()).distinct().count() != 1) {
      return Optional.empty();
    }
    var identity = LogIdentity.parse(answers.getFirst().reply().getPosition().getLog());
    if (identity.isEmpty()) {
      return Optional.empty();
    }
    var furthest = io.fairlead.core.model.Position.start(identity.get());
    for (var answer : answers) {
      for (var status : answer.reply().getPartitionsList()) {
        var partition = LogPartition.parse(status.getPartition());
        if (partition.isPresent() && status.getNext() > furthest.of(partition.get())) {
          furthest = furthest.with(partition.get(), status.getNext());
        }
      }
    }
    return Optional.of(
        Position.newBuilder()
            .setLog(furthest.log().toString())
            .setOffsets(furthest.offsets())
            .build());
  }

  /** A row for each partition and each state that a replica has it in. */
  private static TextTable table(List<Answer> answers) {
    var states = new TreeMap<String, Map<State, List<String>>>(LogStatusCommand::byPartition);
    for (var answer : answers) {
      for (var status : answer.reply().getPartitionsList()) {
        states
            .computeIfAbsent(status.getPartition(), _ -> new LinkedHashMap<>())
            .computeIfAbsent(state(status), _ -> new ArrayList<>())
            .add(answer.reply().getReplica());
      }
    }
    var rows = new ArrayList<List<String>>();
    states.forEach((partition, byState) ->
        byState.forEach((state, replicas) ->
            rows.add(
                List.of(
                    partition,
                    Long.toString(state.next()),
                    Long.toString(state.objects()),
                    state.digest(),
                    state.owner().isEmpty() ? "<none>" : state.owner(),
                    String.join(",", replicas)))));
    return new TextTable(
        List.of("PARTITION", "NEXT", "OBJECTS", "DIGEST", "OWNER", "REPLICAS"), rows);
  }

  private static State state(PartitionStatus status) {
    return new State(status.getNext(), status.getDigest(), status.getObjects(), status.getOwner());
  }

  /** p2 before p10; what cannot be read comes last. */
  private static int byPartition(String a, String b) {
    var first = LogPartition.parse(a);
    var second = LogPartition.parse(b);
    return first.isPresent() && second.isPresent()
        ? first.get().compareTo(second.get())
        : a.compareTo(b);
  }

  private static List<String> faults(List<Answer> answers) {
    var faults = new ArrayList<String>();
    var logs = answers.stream().map(a -> a.reply().getPosition().getLog()).distinct().toList();
    if (logs.size() > 1) {
      faults.add("the replicas follow different logs: " + String.join(", ", logs));
    }
    var digests = new HashMap<String, String>();
    for (var answer : answers) {
      for (var status : answer.reply().getPartitionsList()) {
        var where = status.getPartition() + ":" + status.getNext();
        var known = digests.putIfAbsent(where, status.getDigest());
        if (known != null && !known.equals(status.getDigest())) {
          faults.add(
              "%s of %s differs at %s from what another replica has"
                  .formatted(status.getPartition(), answer.reply().getReplica(), where));
        }
      }
    }
    return faults;
  }
}
