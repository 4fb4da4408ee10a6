package io.fairlead.bench;

import io.fairlead.bench.StreamsOptions.Part;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import io.fairlead.endpoints.stream.Contents;
import io.fairlead.endpoints.stream.StreamSettings;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * From the log to what the streams carry, in one thread and without a network: events replayed in a
 * second, what one event costs beside few and many Services, and the memory of both. Then from one
 * replica to very many agents, and how long a replica takes to start.
 */
final class StreamsBench implements Bench.Scenario {
  private static final LogIdentity LOG = new LogIdentity("services", "pods");

  /** As endpoints-service has it by default. */
  private static final int JOURNAL = StreamSettings.DEFAULT.journal();

  private static final int NODES = 500;
  private static final int REPLAYS = 4;
  private static final int WARM_UP = 5_000;
  private static final int EVENTS = 20_000;

  @Override
  public String options() {
    return StreamsOptions.HELP;
  }

  @Override
  public List<Figure> run(List<String> words, Bench.Progress progress) throws Exception {
    var options = StreamsOptions.parse(words);
    var figures = new ArrayList<Figure>();
    if (options.parts().contains(Part.PROJECTION) || options.parts().contains(Part.MEMORY)) {
      progress.say(
          "writing a log of %d Services of %d Pods in memory"
              .formatted(options.services(), options.pods()));
      var log = new StreamsLog(options.services(), options.pods(), NODES);
      if (options.parts().contains(Part.PROJECTION)) {
        projection(log, figures, progress);
      }
      if (options.parts().contains(Part.MEMORY)) {
        memory(log, figures, progress);
      }
    }
    if (options.parts().contains(Part.EVENT)) {
      for (int size : options.sizes()) {
        event(size, figures, progress);
      }
    }
    if (options.parts().contains(Part.FANOUT)) {
      FanOut.measure(options, figures, progress);
    }
    if (options.parts().contains(Part.RESTART)) {
      Restart.measure(options.records(), figures, progress);
    }
    return figures;
  }

  // --- the projection

  /** The last replay counts; those before it warm up. */
  private static void projection(StreamsLog log, List<Figure> figures, Bench.Progress progress) {
    long image = 0;
    long streams = 0;
    for (int i = 1; i <= REPLAYS; i++) {
      progress.say("replaying %d records, %d of %d".formatted(log.size(), i, REPLAYS));
      long from = System.nanoTime();
      var _ = log.replay((_, _) -> {});
      image = System.nanoTime() - from;
      from = System.nanoTime();
      var contents = new Contents(LOG, JOURNAL, () -> Instant.MIN);
      var _ =
          log.replay((delta, next) -> contents.update(delta, next, Position.start(LOG), List.of()));
      streams = System.nanoTime() - from;
    }
    figures.add(rate("streams.projection.image.rate", log, image).atLeast(300_000));
    figures.add(rate("streams.projection.with-entries.rate", log, streams));
  }

  private static Figure rate(String name, StreamsLog log, long nanos) {
    return new Figure(name, log.size() * 1e9 / nanos, "1/s", log.size());
  }

  // --- one event

  private static void event(int size, List<Figure> figures, Bench.Progress progress) {
    progress.say("one event beside %d Services of 3 Pods".formatted(size));
    var log = new StreamsLog(size, 3, NODES);
    var contents = new Contents(LOG, JOURNAL, () -> Instant.MIN);
    var image =
        log.replay((delta, next) -> contents.update(delta, next, Position.start(LOG), List.of()));
    image = flip(log, contents, image, WARM_UP);
    long from = System.nanoTime();
    var _ = flip(log, contents, image, EVENTS);
    figures.add(
        new Figure(
            "streams.event.mean." + size, (System.nanoTime() - from) / 1e3 / EVENTS, "us", EVENTS));
  }

  private static ClusterImage flip(
      StreamsLog log, Contents contents, ClusterImage first, int times) {
    var image = first;
    for (int i = 0; i < times; i++) {
      var delta = log.flip(image, i);
      image = delta.apply();
      contents.update(delta, image, Position.start(LOG), List.of());
    }
    return image;
  }

  // --- memory

  private static void memory(StreamsLog log, List<Figure> figures, Bench.Progress progress) {
    progress.say("measuring memory");
    long before = Heap.afterCollection();
    var contents = new Contents(LOG, JOURNAL, () -> Instant.MIN);
    var image =
        log.replay((delta, next) -> contents.update(delta, next, Position.start(LOG), List.of()));
    long both = Heap.afterCollection();
    int entries = contents.entries();
    var alone = log.replay((_, _) -> {});
    long three = Heap.afterCollection();
    figures.add(new Figure("streams.memory.image", (three - both) / 1e6, "MB", log.size()));
    figures.add(
        new Figure(
            "streams.memory.entries", (both - before - (three - both)) / 1e6, "MB", entries));
    if (image.services().byName().size() != alone.services().byName().size()) {
      throw new IllegalStateException("two replays of one log differ");
    }
  }
}
