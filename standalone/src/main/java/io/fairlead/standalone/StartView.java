package io.fairlead.standalone;

import io.fairlead.standalone.plane.Progress;
import io.fairlead.standalone.plane.Progress.State;
import io.fairlead.standalone.plane.Progress.Step;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Shows how far a plane's parts are: on a terminal one live line for each, else one plain line for
 * each that is ready, and later stopped, in the order in which that was announced, so that it looks
 * alike each time. One thread.
 */
final class StartView {
  private static final Set<State> TOLD = EnumSet.of(State.READY, State.RESTARTING, State.FAILED);

  private final PrintStream out;
  private final Style style;
  private final Map<String, Step> parts = new LinkedHashMap<>();
  private final Map<String, State> toldStates = new HashMap<>();
  private final List<String> stopping = new ArrayList<>();
  private int told;
  private int toldStopped;
  private int drawn;

  /** How it is shown. */
  enum Style {
    LIVE,
    PLAIN
  }

  StartView(PrintStream out, Style style) {
    this.out = out;
    this.style = style;
  }

  /** What fits the process' standard output. */
  @SuppressWarnings("SystemConsoleNull") // null where there is none of any kind
  static Style fitting(Map<String, String> environment) {
    var console = System.console();
    return console != null
            && console.isTerminal()
            && !environment.getOrDefault("TERM", "dumb").equals("dumb")
        ? Style.LIVE
        : Style.PLAIN;
  }

  /** Takes in what is new. Steps of the plane as a whole are the caller's. */
  void show(List<Step> steps) {
    for (var step : steps) {
      if (!step.part().equals(Progress.PLANE)) {
        parts.put(step.part(), step);
        if (step.state() == State.STOPPING && !stopping.contains(step.part())) {
          stopping.add(step.part());
        }
      }
    }
    switch (style) {
      case LIVE -> {
        if (!steps.isEmpty()) {
          draw();
        }
      }
      case PLAIN -> tell();
    }
  }

  private void draw() {
    var text = new StringBuilder();
    if (drawn > 0) {
      text.append("\033[").append(drawn).append('F'); // to the begin of the first line
    }
    for (var step : parts.values()) {
      text.append(line(step)).append("\033[K\n");
    }
    drawn = parts.size();
    out.print(text);
    out.flush();
  }

  private void tell() {
    var all = List.copyOf(parts.values());
    // at first in order, each when it is ready and all above it are
    while (told < all.size() && isTold(all.get(told))) {
      tell(all.get(told));
      told++;
    }
    if (told == all.size()) { // then whatever happens to one
      all.stream()
          .filter(step -> isTold(step) && toldStates.get(step.part()) != step.state())
          .forEach(this::tell);
    }
    while (toldStopped < stopping.size() && isStopped(stopping.get(toldStopped))) {
      tell(Objects.requireNonNull(parts.get(stopping.get(toldStopped))));
      toldStopped++;
    }
    out.flush();
  }

  private void tell(Step step) {
    out.println(line(step));
    toldStates.put(step.part(), step.state());
  }

  private boolean isStopped(String part) {
    var step = parts.get(part);
    return step != null && step.state() == State.STOPPED;
  }

  private static boolean isTold(Step step) {
    return TOLD.contains(step.state());
  }

  private static String line(Step step) {
    var state =
        switch (step.state()) {
          case WAITING -> "waiting";
          case STARTING -> "starting";
          case READY -> "ready";
          case RESTARTING -> "restarting";
          case FAILED -> "failed";
          case STOPPING -> "stopping";
          case STOPPED -> "stopped";
        };
    // one line each: the whole of a failure is told in the end
    var text = step.state() == State.FAILED ? "" : step.text();
    return "  %-10s %-10s %s".formatted(step.part(), state, text).stripTrailing();
  }
}
