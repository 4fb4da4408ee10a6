package io.fairlead.testbed.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.testbed.history.Linearizability.Call;
import io.fairlead.testbed.history.Operation.Outcome;
import io.fairlead.testbed.history.Operation.Request;
import io.fairlead.testbed.history.Operation.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Small histories of Services, right ones and such as a faulty control plane would cause. */
@Timeout(60)
final class HistoryCheckTest {
  private static final String A = "10.96.0.2";
  private static final String B = "10.96.0.3";

  /** Calls in the making, and the log that a correct owner would have written. */
  private static final class Story {
    final List<Call<Operation>> calls = new ArrayList<>();
    final List<LoggedWrite> log = new ArrayList<>();
    private long now;
    private int ids;

    /** One call after the other. */
    String does(Request request, Outcome outcome) {
      long invoked = ++now;
      return during(request, outcome, invoked, OptionalLong.of(++now));
    }

    /** From then on, and never answered. */
    String lost(Request request) {
      return during(request, new Outcome.Unknown(), ++now, OptionalLong.empty());
    }

    String during(Request request, Outcome outcome, long invoked, OptionalLong answered) {
      var id = "r" + ids++;
      calls.add(new Call<>(new Operation(id, request, outcome), invoked, answered));
      return id;
    }

    Seen creates(String name, String address) {
      var object = object(name, "uid-" + ids, address, "r" + ids);
      log.add(stored(object));
      does(new Request.Create(name, Optional.empty()), new Outcome.Created(object));
      return object;
    }

    Seen changes(Seen before) {
      var object = object(before.name(), before.uid(), before.address(), "r" + ids);
      log.add(stored(object));
      does(
          new Request.Apply(before.name(), Optional.of(before.version())),
          new Outcome.Changed(object));
      return object;
    }

    void deletes(Seen object) {
      long offset = offset();
      log.add(
          new LoggedWrite(
              offset, Optional.of("r" + ids), object.name(), object.uid(), Optional.empty()));
      does(
          new Request.Delete(object.name(), Optional.empty()),
          new Outcome.Deleted(object.uid(), Long.toString(offset)));
    }

    Seen object(String name, String uid, String address, String writer) {
      return new Seen(name, uid, Long.toString(offset()), address, writer);
    }

    LoggedWrite stored(Seen object) {
      return new LoggedWrite(
          Long.parseLong(object.version()),
          Optional.of(object.writer()),
          object.name(),
          object.uid(),
          Optional.of(object));
    }

    long offset() {
      return 10L + 2L * log.size();
    }

    void sees(Seen object) {
      does(new Request.Get(object.name()), new Outcome.Found(object));
    }

    void misses(String name) {
      does(new Request.Get(name), new Outcome.Missing());
    }

    void lists(Seen... objects) {
      does(new Request.All(), new Outcome.Listed(List.of(objects)));
    }
  }

  /**
   * @param fault part of what has to be said; empty: nothing is wrong
   */
  record Case(String name, String fault, java.util.function.Consumer<Story> story) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Case fine(String name, java.util.function.Consumer<Story> story) {
    return new Case(name, "", story);
  }

  private static Case wrong(String name, String fault, java.util.function.Consumer<Story> story) {
    return new Case(name, fault, story);
  }

  static Stream<Case> stories() {
    return Stream.of(
        fine(
            "a life",
            s -> {
              var first = s.creates("web", A);
              s.sees(first);
              var second = s.changes(first);
              s.lists(second);
              s.does(new Request.Create("web", Optional.empty()), new Outcome.NameTaken());
              s.does(
                  new Request.Create("api", Optional.of(A)), new Outcome.AddressTaken(A, "ns/web"));
              s.does(new Request.Apply("web", Optional.of(first.version())), new Outcome.Stale());
              s.deletes(second);
              s.misses("web");
              s.lists();
              s.sees(s.creates("api", A)); // the address is free again
            }),
        wrong(
            "one address for two Services",
            "address " + A,
            s -> {
              s.creates("web", A);
              s.creates("api", A);
            }),
        wrong(
            "one address for two Services, in the log",
            "one address for two",
            s -> {
              s.creates("web", A);
              s.creates("api", A);
            }),
        wrong(
            "a stale read after a deletion",
            "name web",
            s -> {
              var web = s.creates("web", A);
              s.deletes(web);
              s.sees(web);
            }),
        wrong(
            "a confirmed Service that is lost",
            "name web",
            s -> {
              s.creates("web", A);
              s.misses("web");
            }),
        wrong(
            "two changes of one version",
            "name web",
            s -> {
              var web = s.creates("web", A);
              s.changes(web);
              s.changes(web);
            }),
        wrong(
            "created twice",
            "name web",
            s -> {
              s.creates("web", A);
              s.creates("web", B);
            }),
        wrong(
            "a refusal that names who does not hold it",
            "address " + A,
            s -> {
              s.creates("web", A);
              s.does(
                  new Request.Create("api", Optional.of(A)),
                  new Outcome.AddressTaken(A, "ns/other"));
            }),
        wrong(
            "full, though one was freed",
            "address " + A,
            s -> {
              s.deletes(s.creates("web", A));
              s.creates("api", B);
              s.does(new Request.Create("more", Optional.empty()), new Outcome.RangeFull());
            }),
        wrong(
            "an address leaked: refused for a Service that is gone",
            "address " + A,
            s -> {
              s.deletes(s.creates("web", A));
              s.does(
                  new Request.Create("api", Optional.of(A)), new Outcome.AddressTaken(A, "ns/web"));
            }),
        wrong(
            "a Service that changes its address",
            "two addresses of uid",
            s -> {
              var web = s.creates("web", A);
              s.sees(new Seen("web", web.uid(), web.version(), B, web.writer()));
            }),
        wrong(
            "a list of two moments at once",
            "a list that the log was never at",
            s -> {
              long from = s.now;
              var web = s.creates("web", A);
              var api = s.creates("api", B);
              // it began before both, and api was there after web only
              s.during(
                  new Request.All(),
                  new Outcome.Listed(List.of(api)),
                  from + 1,
                  OptionalLong.of(s.now));
              s.lists(api, web);
            }),
        fine(
            "a lost create that happened",
            s -> {
              var web = s.object("web", "u", A, "r0");
              s.log.add(s.stored(web));
              s.lost(new Request.Create("web", Optional.empty()));
              s.does(
                  new Request.Create("api", Optional.of(A)), new Outcome.AddressTaken(A, "ns/web"));
              s.sees(web);
              s.deletes(web);
            }),
        fine(
            "a lost create that did not happen",
            s -> {
              s.lost(new Request.Create("web", Optional.of(A)));
              s.misses("web");
              s.creates("api", A);
            }),
        wrong(
            "a lost create that happened twice",
            "happened more than once",
            s -> {
              var web = s.object("web", "u", A, "r0");
              s.log.add(s.stored(web));
              s.log.add(s.stored(s.object("web", "u2", B, "r0")));
              s.lost(new Request.Create("web", Optional.empty()));
            }),
        fine(
            "a lost deletion frees the address",
            s -> {
              var web = s.creates("web", A);
              s.log.add(
                  new LoggedWrite(
                      s.offset(), Optional.of("r1"), "web", web.uid(), Optional.empty()));
              s.lost(new Request.Delete("web", Optional.empty()));
              s.creates("api", A);
              s.misses("web");
            }),
        wrong(
            "a lost deletion that comes back to life",
            "name web",
            s -> {
              var web = s.creates("web", A);
              s.lost(new Request.Delete("web", Optional.empty()));
              s.misses("web");
              s.sees(web);
            }),
        wrong(
            "refused, yet in the log",
            "was to change nothing",
            s -> {
              s.log.add(s.stored(s.object("web", "u", A, "r0")));
              s.does(new Request.Create("web", Optional.empty()), new Outcome.RangeFull());
            }),
        wrong(
            "failed with the promise that nothing happened, yet in the log",
            "was to change nothing",
            s -> {
              s.log.add(s.stored(s.object("web", "u", A, "r0")));
              s.does(new Request.Create("web", Optional.empty()), new Outcome.Nothing());
            }),
        wrong(
            "confirmed, yet not in the log",
            "confirmed",
            s -> {
              s.creates("web", A);
              s.log.clear();
            }),
        wrong(
            "a record that nobody asked for",
            "nobody asked for",
            s -> {
              s.creates("web", A);
              s.log.add(s.stored(s.object("api", "u", B, "other")));
            }),
        wrong(
            "a log that is in another order than time",
            "the log has the later one first",
            s -> {
              var web = s.object("web", "u1", A, "r0");
              s.log.add(s.stored(web));
              var api = s.object("api", "u2", B, "r1");
              s.log.add(s.stored(api));
              s.during(
                  new Request.Create("web", Optional.empty()),
                  new Outcome.Created(web),
                  5,
                  OptionalLong.of(6));
              s.during(
                  new Request.Create("api", Optional.empty()),
                  new Outcome.Created(api),
                  1,
                  OptionalLong.of(2));
            }));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("stories")
  void tellsRightFromWrong(Case given) {
    var story = new Story();
    given.story().accept(story);
    var faults = new ArrayList<>(HistoryCheck.faults("ns", story.calls, story.log));
    faults.addAll(LogCheck.faults(story.calls, story.log));
    if (given.fault().isEmpty()) {
      assertThat(faults).isEmpty();
    } else {
      assertThat(faults).anyMatch(fault -> fault.contains(given.fault()));
    }
  }
}
