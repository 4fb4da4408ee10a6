package io.fairlead.decider.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.decider.watch.History;
import io.fairlead.v1.ContinueToken;
import io.fairlead.v1.Freshness;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Lists in pages. Nothing is kept for whoever lists: what asks for the next page says which moment
 * the list is of and where it was, and any replica makes the image of that moment from its history.
 */
public final class Pages {
  /** Of the items of a page: far below the 4 MiB that a message may have. */
  static final int MOST_BYTES = 2 << 20;

  private static final List<String> NOT_OF_THE_QUERY = List.of("limit", "continue", "freshness");

  private final Reads reads;
  private final History history;

  public Pages(Reads reads, History history) {
    this.reads = reads;
    this.history = history;
  }

  /**
   * A page that is asked for.
   *
   * @param after what the page before ended with; empty = this is the first
   * @param limit 0 = all
   */
  public record Page(
      ClusterImage image,
      Position position,
      Optional<ObjectName> after,
      int limit,
      ByteString query) {

    /** What may be on it, of objects by name. */
    public <T> SortedMap<ObjectName, T> rest(SortedMap<ObjectName, T> all) {
      return after
          .map(last -> all.tailMap(new ObjectName(last.namespace(), last.name() + '\0')))
          .orElse(all);
    }

    /**
     * Fills it: with as many as were asked for, or fewer where these are large.
     *
     * @param sorted by name; those before this page may be among them
     * @param message what is sent of each
     */
    public <T, M extends Message> Filled<M> fill(
        Iterable<T> sorted,
        Function<T, ObjectName> name,
        Predicate<T> wanted,
        Function<T, M> message) {
      var items = new ArrayList<M>();
      var last = new ObjectName("", "");
      long bytes = 0;
      for (var item : sorted) {
        var own = name.apply(item);
        if (!wanted.test(item) || after.filter(before -> before.compareTo(own) >= 0).isPresent()) {
          continue;
        }
        var next = message.apply(item);
        bytes += next.getSerializedSize();
        if (limit > 0 && !items.isEmpty() && (items.size() == limit || bytes > MOST_BYTES)) {
          return new Filled<>(items, token(last));
        }
        items.add(next);
        last = own;
      }
      return new Filled<>(items, "");
    }

    private String token(ObjectName last) {
      var token =
          ContinueToken.newBuilder()
              .setPosition(PositionCodec.proto(position))
              .setNamespace(last.namespace())
              .setName(last.name())
              .setQuery(query)
              .build();
      return Base64.getUrlEncoder().withoutPadding().encodeToString(token.toByteArray());
    }
  }

  /**
   * What is on a page.
   *
   * @param next asks for the page after it; "" = this is the last
   */
  public record Filled<T>(List<T> items, String next) {
    public Filled {
      items = List.copyOf(items);
    }
  }

  /**
   * The page that a request of a list asks for.
   *
   * @param request with limit, continue and freshness as given
   * @throws StatusRuntimeException INVALID, FOREIGN_LOG, NOT_SYNCED; POSITION_TOO_OLD where the
   *     image of that moment cannot be made any more
   */
  public Page open(Message request, int limit, String next, Freshness freshness) {
    if (limit < 0) {
      throw Errors.invalid("limit", Reason.INVALID, limit + ": must not be negative; 0 = all");
    }
    var query = query(request);
    if (next.isEmpty()) {
      var snapshot = reads.at(freshness);
      return new Page(snapshot.image(), snapshot.position(), Optional.empty(), limit, query);
    }
    var token = token(next);
    var position = reads.covered("continue", token.getPosition());
    if (!token.getQuery().equals(query)) {
      throw Errors.invalid(
          "continue",
          Reason.INVALID,
          "belongs to another list: ask for all pages with the same namespace and selectors");
    }
    var newest = reads.current();
    var image = position.equals(newest.position()) ? newest.image() : history.at(position).image();
    return new Page(
        image,
        position,
        Optional.of(new ObjectName(token.getNamespace(), token.getName())),
        limit,
        query);
  }

  private static ContinueToken token(String next) {
    try {
      var token = ContinueToken.parseFrom(Base64.getUrlDecoder().decode(next));
      if (token.hasPosition() && !token.getName().isEmpty()) {
        return token;
      }
    } catch (InvalidProtocolBufferException | IllegalArgumentException _) {
      // said below
    }
    throw Errors.invalid("continue", Reason.INVALID, "must be what a page of this list answered");
  }

  private static ByteString query(Message request) {
    var only = request.toBuilder();
    for (var name : NOT_OF_THE_QUERY) {
      only.clearField(RequestStamps.field(request, name));
    }
    return ByteString.copyFrom(RequestStamps.digest("", only.build()));
  }
}
