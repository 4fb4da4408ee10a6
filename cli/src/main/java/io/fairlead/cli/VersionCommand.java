package io.fairlead.cli;

import io.fairlead.runtime.BuildInfo;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead version}. */
@Command(name = "version", description = "Prints the version of this command.")
final class VersionCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Override
  public Integer call() {
    fairlead.console().out().println("Client Version: " + BuildInfo.version());
    return 0;
  }
}
