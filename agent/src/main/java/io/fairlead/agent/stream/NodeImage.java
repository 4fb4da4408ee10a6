package io.fairlead.agent.stream;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.fairlead.agent.disk.ImageStore;
import io.fairlead.agent.disk.ImageStore.Base;
import io.fairlead.agent.disk.ImageStore.Change;
import io.fairlead.api.EntryCodec;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.Entry.ServicePortEntry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.core.view.NodeContext;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeView;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this node was told: the view, and what of it is not on disk or not in the kernel yet. Frames
 * that arrive meanwhile run together. Owned by the loop. The disk's half survives the process.
 */
final class NodeImage implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NodeImage.class);

  private final Path directory;
  private final FaultPoints points;
  private NodeView view;
  private Optional<Position> position = Optional.empty();
  private Optional<ImageStore> store;

  /** What the disk lacks; where {@code all}, everything. */
  private final Map<String, ByteString> set = new LinkedHashMap<>();

  private final Set<String> removed = new LinkedHashSet<>();
  private boolean all;
  private Optional<Position> onDisk;

  /** What the kernel may lack. */
  private final Set<Frontend> changed = new LinkedHashSet<>();

  /** Those whose flows are looked after, and whose endpoints may have changed meanwhile. */
  private final Set<Frontend> touched = new LinkedHashSet<>();

  private NodeImage(Path directory, NodeContext context, ImageStore store, FaultPoints points) {
    this.directory = directory;
    this.points = points;
    this.view = NodeView.empty(context);
    this.store = Optional.of(store);
    this.onDisk = store.position();
  }

  /**
   * Reads what is on disk. Entries that this build cannot read make it begin anew, as damage does:
   * the stream brings everything.
   *
   * @throws GatewayException the directory cannot be used; says why
   */
  static NodeImage open(Path directory, NodeContext context, FaultPoints points) {
    var store = ImageStore.open(directory, points);
    var image = new NodeImage(directory, context, store, points);
    var entries = new ArrayList<Entry>();
    try {
      for (var bytes : store.entries()) {
        entries.add(EntryCodec.model(io.fairlead.v1.Entry.parseFrom(bytes)));
      }
    } catch (InvalidProtocolBufferException | RuntimeException e) { // of another build, or damaged
      LOG.atWarn()
          .addKeyValue("event", "agent.image-unreadable")
          .addKeyValue("why", e.getMessage())
          .log("Image on disk is of another build, asking for all of it anew");
      image.all = true;
      return image;
    }
    image.view = NodeView.of(entries, context);
    image.position = store.position();
    image.touch(image.view.rules().ports().keySet(), image.view);
    return image;
  }

  NodeView view() {
    return view;
  }

  /** Where the view stands; empty = nothing is known. */
  Optional<Position> position() {
    return position;
  }

  /** Where the disk stands. */
  Optional<Position> onDisk() {
    return onDisk;
  }

  /** Takes a frame into the view; the Pods it set or removed. */
  List<EntryKey.Pod> take(Frames.Frame frame) {
    var pods = new ArrayList<EntryKey.Pod>();
    var entries = frame.set().values().stream().map(Frames.Received::entry).toList();
    if (frame.reset()) {
      view.pods().forEach(pod -> pods.add(pod.key()));
      var before = view;
      view = NodeView.of(entries, view.context());
      touch(before.rules().ports().keySet(), before);
      touch(view.rules().ports().keySet(), before);
      set.clear();
      removed.clear();
      all = true;
    } else {
      var before = view;
      var step = view.with(entries, frame.removed());
      view = step.view();
      changed.addAll(step.changed());
      touch(step.touched(), before);
      frame
          .removed()
          .forEach(key -> {
            set.remove(key.text());
            removed.add(key.text());
            if (key instanceof EntryKey.Pod pod) {
              pods.add(pod);
            }
          });
    }
    frame
        .set()
        .forEach((key, received) -> {
          removed.remove(key.text());
          set.put(key.text(), received.bytes());
          if (key instanceof EntryKey.Pod pod) {
            pods.add(pod);
          }
        });
    position = Optional.of(frame.position());
    return pods;
  }

  /** Nothing changed up to there. */
  void move(Position to) {
    position = Optional.of(to);
  }

  /** Frontends whose rule changed since the last call. */
  Set<Frontend> takeChanged() {
    var taken = Set.copyOf(changed);
    changed.clear();
    return taken;
  }

  /**
   * Frontends whose endpoints may have changed since the last call: over UDP, and over TCP where
   * connections are reset.
   */
  Set<Frontend> takeTouched() {
    var taken = Set.copyOf(touched);
    touched.clear();
    return taken;
  }

  /** Those whose flows are looked after, by the view as it is or as it was. */
  private void touch(Set<Frontend> frontends, NodeView before) {
    for (var frontend : frontends) {
      boolean looked =
          switch (frontend.protocol()) {
            case UDP -> true;
            case TCP -> resets(frontend, before) || resets(frontend, view);
            case SCTP -> false;
          };
      if (looked) {
        touched.add(frontend);
      }
    }
  }

  private static boolean resets(Frontend frontend, NodeView view) {
    return view.port(frontend).filter(ServicePortEntry::resetsConnections).isPresent();
  }

  /**
   * Puts the view on disk. Costs what changed since; after a failure, everything.
   *
   * @throws GatewayException it may be there or not; calling again is the remedy
   */
  void persist() {
    boolean nothing = !all && set.isEmpty() && removed.isEmpty() && onDisk.equals(position);
    if (position.isEmpty() || nothing) {
      return;
    }
    var target = position.get();
    if (store.isEmpty()) {
      store = Optional.of(ImageStore.open(directory, points));
      all = true;
      set.clear();
      view.entries().forEach(e -> set.put(e.key().text(), EntryCodec.proto(e).toByteString()));
    }
    try {
      store
          .get()
          .append(
              new Change(
                  all ? Base.NOTHING : Base.CURRENT,
                  List.copyOf(set.values()),
                  List.copyOf(removed),
                  target));
    } catch (GatewayException e) {
      closeStore();
      throw e;
    }
    set.clear();
    removed.clear();
    all = false;
    onDisk = position;
  }

  private void closeStore() {
    var old = store;
    store = Optional.empty();
    try {
      old.ifPresent(ImageStore::close);
    } catch (GatewayException e) {
      LOG.atDebug().setCause(e).log("Image could not be closed");
    }
  }

  @Override
  public void close() {
    closeStore();
  }
}
