package io.fairlead.standalone.plane;

import io.fairlead.standalone.plane.Progress.State;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Parts that may be closed at one time, side by side. What is added after that is closed at once.
 * The lock guards the list.
 */
final class Stage implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Stage.class);

  private record Part(String name, AutoCloseable resource) {}

  private final Progress progress;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<Part> parts = new ArrayList<>();
  private boolean closed;

  Stage(Progress progress) {
    this.progress = progress;
  }

  <T extends AutoCloseable> T opened(String name, T resource) {
    lock.lock();
    try {
      if (!closed) {
        parts.add(new Part(name, resource));
        return resource;
      }
    } finally {
      lock.unlock();
    }
    close(new Part(name, resource));
    return resource;
  }

  @Override
  public void close() {
    List<Part> open;
    lock.lock();
    try {
      closed = true;
      open = List.copyOf(parts);
      parts.clear();
    } finally {
      lock.unlock();
    }
    var threads = new ArrayList<Thread>();
    for (var part : open) {
      threads.add(Thread.ofPlatform().name("close-" + part.name()).start(() -> close(part)));
    }
    for (var thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private void close(Part part) {
    try {
      part.resource().close();
    } catch (Exception e) {
      LOG.atWarn().setCause(e).addKeyValue("part", part.name()).log("Close failed");
    }
    progress.say(part.name(), State.STOPPED, "");
  }
}
