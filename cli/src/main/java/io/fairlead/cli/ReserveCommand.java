package io.fairlead.cli;

import com.google.protobuf.ByteString;
import io.fairlead.api.Timestamps;
import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.runtime.OptionType;
import io.fairlead.v1.Reservation;
import io.fairlead.v1.ReserveRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.TypeConversionException;

/** {@code fairlead reserve}. */
@Command(
    name = "reserve",
    description =
        "Holds addresses for a service until that is created, or until the time is up; all of them or none.",
    footer = {
      "",
      "Without --keep the reservation ends when its time is up, unless fairlead renew comes before. With --keep",
      "it is renewed until Ctrl-C (or SIGTERM), which releases it: exit code 0; 1 where it was lost, or could not be",
      "released. What the service took over stays with it.",
      "The token by which it is renewed and released is kept in a file of yours, or where --token-file says;",
      "FAIRLEAD_RESERVATION_TOKEN is taken instead of one that is made up."
    })
final class ReserveCommand implements Callable<Integer> {
  private static final Duration SHORTEST = Duration.ofSeconds(5);
  private static final Duration LONGEST = Duration.ofHours(24);

  @ParentCommand private Fairlead fairlead;

  @Parameters(
      arity = "0..*",
      paramLabel = "ADDRESS",
      description = "Which addresses, up to 64 of any family.")
  private List<String> addresses = List.of();

  @Option(
      names = "--for",
      required = true,
      paramLabel = "[namespace/]name",
      description = "The service that may have them. It need not exist.")
  private String holder;

  @Option(
      names = "--ttl",
      paramLabel = "duration",
      converter = Ttl.class,
      description = "How long, from 5s to 24h; without it 10m.")
  private @Nullable Duration ttl;

  @Option(
      names = "--any-static",
      paramLabel = "N",
      arity = "0..1",
      fallbackValue = "1",
      description = "Instead of ADDRESS: the lowest free ones of the static bands; without N, one.")
  private @Nullable Integer anyStatic;

  @Option(
      names = "--family",
      paramLabel = "IPv4|IPv6",
      description = "With --any-static: of which family; without it, that of the first range.")
  private @Nullable String family;

  @Option(names = "--keep", description = "Goes on and renews it until it is interrupted.")
  private boolean keep;

  @Option(
      names = "--token-file",
      paramLabel = "file",
      description =
          "Where the token is, if there is such a file; else where it is put, readable by you only.")
  private @Nullable Path tokenFile;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "yaml|json|name",
      description = "How it is shown; without it, in a sentence.")
  private @Nullable OutputFormat output;

  /** {@code 10m}. */
  static final class Ttl implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      return switch (OptionType.duration(SHORTEST, LONGEST).check().apply(text)) {
        case OptionType.Good<Duration>(var value) -> value;
        case OptionType.Bad<Duration>(var words) -> throw new TypeConversionException(words);
      };
    }
  }

  @Override
  public Integer call() {
    if (output == OutputFormat.WIDE || output == OutputFormat.TABLE) {
      throw new UsageException("error: --output: must be yaml, json or name");
    }
    var tokens = new ReservationTokens(fairlead.environment(), Optional.ofNullable(tokenFile));
    var token = tokens.forNew(fairlead.random());
    try (var session = fairlead.session()) {
      var request = request(session, token);
      var reservation = session.reservations(stub -> stub.reserve(request)).getReservation();
      var id = reservation.getMetadata().getName();
      var keeper = new ReservationKeeper(session, fairlead.console(), reservation, token, tokens);
      try {
        tokens.keep(id, token);
      } catch (CliException e) {
        keeper.release();
        throw e;
      }
      if (keep) {
        return keeper.keep(() -> show(reservation));
      }
      show(reservation);
      return 0;
    }
  }

  private ReserveRequest request(Session session, String token) {
    if (addresses.isEmpty() == (anyStatic == null)) {
      throw new UsageException("error: name addresses, or ask for some by --any-static");
    }
    if (family != null && anyStatic == null) {
      throw new UsageException("error: --family goes with --any-static only");
    }
    var parts = holder.split("/", -1);
    if (parts.length > 2) {
      throw new UsageException("error: --for: must be NAME or NAMESPACE/NAME of a service");
    }
    var request =
        ReserveRequest.newBuilder()
            .setRequestId(session.requestId())
            .setHolderNamespace(parts.length == 2 ? parts[0] : fairlead.namespace())
            .setHolderName(parts[parts.length - 1])
            .addAllAddresses(addresses)
            .setTokenHash(ByteString.copyFrom(hash(token)));
    if (ttl != null) {
      request.setTtl(
          com.google.protobuf.Duration.newBuilder()
              .setSeconds(ttl.toSeconds())
              .setNanos(ttl.toNanosPart()));
    }
    if (anyStatic != null) {
      request.getAnyStaticBuilder().setCount(anyStatic).setIpFamily(family());
    }
    return request.build();
  }

  private String family() {
    if (family == null) {
      return "";
    }
    return List.of("IPv4", "IPv6").stream()
        .filter(family::equalsIgnoreCase)
        .findFirst()
        .orElseThrow(() -> new UsageException("error: --family: must be IPv4 or IPv6"));
  }

  private static byte[] hash(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private void show(Reservation reservation) {
    var out = fairlead.console().out();
    var resource = new ReservationResource();
    var title = resource.title(reservation.getMetadata().getName());
    if (output == null) {
      out.println(
          "%s made: %s for %s/%s until %s"
              .formatted(
                  title,
                  String.join(", ", reservation.getSpec().getAddressesList()),
                  reservation.getSpec().getHolderNamespace(),
                  reservation.getSpec().getHolderName(),
                  Timestamps.model(reservation.getStatus().getExpires())
                      .truncatedTo(ChronoUnit.SECONDS)));
      return;
    }
    switch (output) {
      case NAME -> out.println(title);
      case YAML -> out.print(ManifestWriter.yaml(resource.tree(reservation)));
      case JSON -> out.print(ManifestWriter.json(resource.tree(reservation)));
      case TABLE, WIDE -> throw new IllegalStateException("refused before");
    }
    out.flush();
  }
}
