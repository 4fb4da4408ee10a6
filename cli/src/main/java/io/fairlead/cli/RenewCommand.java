package io.fairlead.cli;

import io.fairlead.api.Timestamps;
import io.fairlead.v1.RenewReservationRequest;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead renew}. */
@Command(name = "renew", description = "Makes reservations live for their time again from now on.")
final class RenewCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Parameters(arity = "1..*", paramLabel = "ID", description = "ID or reservation/ID...")
  private List<String> ids;

  @Option(
      names = "--token-file",
      paramLabel = "file",
      description =
          "The file with the token; without it, FAIRLEAD_RESERVATION_TOKEN or what reserve kept for you.")
  private @Nullable Path tokenFile;

  @Override
  public Integer call() {
    var tokens = new ReservationTokens(fairlead.environment(), Optional.ofNullable(tokenFile));
    try (var session = fairlead.session()) {
      return ReservationIds.each(
          ids,
          fairlead.console(),
          id -> {
            var request =
                RenewReservationRequest.newBuilder().setId(id).setToken(tokens.of(id)).build();
            var renewed = session.reservations(stub -> stub.renew(request)).getReservation();
            return "renewed until "
                + Timestamps.model(renewed.getStatus().getExpires())
                    .truncatedTo(ChronoUnit.SECONDS);
          });
    }
  }
}
