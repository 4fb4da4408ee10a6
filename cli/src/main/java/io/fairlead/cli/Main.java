package io.fairlead.cli;

import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.grpc.netty.shaded.io.netty.util.internal.logging.InternalLoggerFactory;
import io.grpc.netty.shaded.io.netty.util.internal.logging.JdkLoggerFactory;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The {@code fairlead} command. */
public final class Main {
  /** Held, because java.util.logging forgets the levels of loggers that nobody holds. */
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  private Main() {}

  public static void main(String[] args) {
    run(args, List.of());
  }

  /**
   * Runs the command that the arguments name and ends the process with its exit code.
   *
   * @param more classes of further subcommands, annotated for picocli; made only when they are
   *     called, with a {@link Fairlead} as parent
   */
  public static void run(String[] args, List<Class<?>> more) {
    quieten();
    var console = new Console(System.in, System.out, System.err);
    var fairlead = new Fairlead(console, System.getenv(), Time.system(), RandomSource.secure());
    int code = fairlead.commandLine(more).execute(args);
    System.out.flush();
    System.exit(code);
  }

  static void quieten() {
    // Netty would start logback, a good part of the time that a short command takes.
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
    GRPC.setLevel(Level.OFF); // what fails is told once, by the command
  }
}
