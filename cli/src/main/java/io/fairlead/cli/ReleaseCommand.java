package io.fairlead.cli;

import io.fairlead.v1.ReleaseReservationRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead release}. */
@Command(
    name = "release",
    description =
        "Ends reservations before their time. What their service took over stays with it.")
final class ReleaseCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Parameters(arity = "1..*", paramLabel = "ID", description = "ID or reservation/ID...")
  private List<String> ids;

  @Option(
      names = "--token-file",
      paramLabel = "file",
      description =
          "The file with the token; without it, FAIRLEAD_RESERVATION_TOKEN or what reserve kept for you.")
  private @Nullable Path tokenFile;

  @Option(
      names = "--force",
      description = "Without the token, for operators: the log says who did it.")
  private boolean force;

  @Override
  public Integer call() {
    if (force && tokenFile != null) {
      throw new UsageException("error: --force and --token-file cannot be specified together");
    }
    var tokens = new ReservationTokens(fairlead.environment(), Optional.ofNullable(tokenFile));
    try (var session = fairlead.session()) {
      return ReservationIds.each(
          ids,
          fairlead.console(),
          id -> {
            var request =
                ReleaseReservationRequest.newBuilder()
                    .setRequestId(session.requestId())
                    .setId(id)
                    .setToken(force ? "" : tokens.of(id))
                    .setForce(force)
                    .build();
            var _ = session.reservations(stub -> stub.release(request));
            tokens.forget(id);
            return "released";
          });
    }
  }
}
