package io.fairlead.dns.wire;

import io.fairlead.core.dns.Answer;
import io.fairlead.core.dns.DnsType;
import io.fairlead.core.dns.Zone;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/**
 * From the octets of a query to the octets of its answer. Thread-safe; does not block but in {@link
 * #resolve}.
 *
 * <p>Follows RFC 1035, 2181 (truncation), 2308 (negative answers), 6891 (EDNS), 8914 (extended
 * errors), 9619 (one question).
 */
public final class Responder {
  /**
   * Longest answer by UDP: what passes without fragments nearly everywhere (DNS flag day 2020, RFC
   * 9715).
   */
  static final int UDP_PAYLOAD = 1232;

  private static final int UDP_MINIMUM = 512;
  private static final int TCP_MAXIMUM = 65_535;
  private static final int HEADER_LENGTH = 12;

  private final Supplier<Zone> zone;
  private final BooleanSupplier synced;
  private final Optional<Upstream> upstream;

  /**
   * @param zone of the moment
   * @param synced false = more names of the zones may exist than the zone knows, so nothing is said
   *     of them
   * @param upstream empty = names of other zones are refused
   */
  public Responder(Supplier<Zone> zone, BooleanSupplier synced, Optional<Upstream> upstream) {
    this.zone = zone;
    this.synced = synced;
    this.upstream = upstream;
  }

  /** Answers one message. Never throws because of what it holds. */
  public Reply respond(byte[] octets, Transport transport) {
    if (octets.length < HEADER_LENGTH || (octets[2] & 0x80) != 0) {
      return new Reply
          .Drop(); // no header to answer to, or an answer: answering answers makes two servers loop
    }
    Message query;
    try {
      query = new Message(octets);
    } catch (IOException | RuntimeException _) {
      return new Reply.Send(headerOnly(octets, Rcode.FORMERR));
    }
    if (query.getHeader().getOpcode() != Opcode.QUERY) {
      return new Reply.Send(headerOnly(octets, Rcode.NOTIMP));
    }
    if (!wellFormed(query)) {
      return new Reply.Send(headerOnly(octets, Rcode.FORMERR));
    }
    if (Optional.ofNullable(query.getOPT()).filter(opt -> opt.getVersion() > 0).isPresent()) {
      return new Reply.Send(
          finish(query, transport, answer(query, Rcode.BADVERS), Optional.empty()));
    }
    var question = query.getQuestion();
    if (question.getDClass() != DClass.IN || isTransfer(question.getType())) {
      return new Reply.Send(
          finish(query, transport, answer(query, Rcode.REFUSED), Optional.empty()));
    }
    boolean complete = synced.getAsBoolean(); // first: a zone taken later holds no less
    var current = zone.get();
    return switch (current.lookup(
        question.getName().toString(), Records.type(question.getType()))) {
      case Answer.NotServed _ -> fromOthers(query, octets, transport);
      case Answer.Served served ->
          complete
              ? fromZone(current, served, query, octets, transport)
              : unsynchronised(query, transport);
    };
  }

  private Reply fromOthers(Message query, byte[] octets, Transport transport) {
    return isAskedOfOthers(query)
        ? new Reply.Elsewhere(
            new Pending(query, octets, transport, List.of(), query.getQuestion().getName()))
        : new Reply.Send(finish(query, transport, answer(query, Rcode.REFUSED), Optional.empty()));
  }

  private boolean isAskedOfOthers(Message query) {
    return upstream.isPresent() && query.getHeader().getFlag(Flags.RD);
  }

  private Reply fromZone(
      Zone current, Answer.Served served, Message query, byte[] octets, Transport transport) {
    var records = shuffled(Records.all(query.getQuestion().getName(), served.records()));
    if (served.unresolved().isPresent() && isAskedOfOthers(query)) {
      return new Reply.Elsewhere(
          new Pending(query, octets, transport, records, Records.name(served.unresolved().get())));
    }
    var message =
        answer(
            query, served.outcome() == Answer.Outcome.NAME_ERROR ? Rcode.NXDOMAIN : Rcode.NOERROR);
    message.getHeader().setFlag(Flags.AA);
    records.forEach(r -> message.addRecord(r, Section.ANSWER));
    served.authority().ifPresent(soa -> message.addRecord(Records.of(soa), Section.AUTHORITY));
    glue(current, records).forEach(r -> message.addRecord(r, Section.ADDITIONAL));
    return new Reply.Send(finish(query, transport, message, Optional.empty()));
  }

  /** Asks the other servers. Blocks as long as they are given. */
  public byte[] resolve(Pending pending) {
    var other = upstream.orElseThrow();
    if (pending.ours().isEmpty()) {
      return other
          .ask(withoutOptions(pending), pending.transport())
          .map(reply -> fitting(reply, pending))
          .orElseGet(() -> noReply(pending));
    }
    var question = pending.query().getQuestion();
    var inner = Message.newQuery(Record.newRecord(pending.target(), question.getType(), DClass.IN));
    var message = answer(pending.query(), Rcode.NOERROR);
    message.getHeader().setFlag(Flags.AA);
    pending.ours().forEach(r -> message.addRecord(r, Section.ANSWER));
    try {
      var reply = other.ask(inner.toWire(), Transport.TCP);
      if (reply.isPresent()) {
        var found = new Message(reply.get());
        found.getSection(Section.ANSWER).forEach(r -> message.addRecord(r, Section.ANSWER));
        found.getSection(Section.AUTHORITY).stream()
            .filter(r -> r.getType() == Type.SOA)
            .forEach(r -> message.addRecord(r, Section.AUTHORITY));
        message
            .getHeader()
            .setRcode(found.getRcode()); // RFC 6604: the code of the chain's last name
        return finish(pending.query(), pending.transport(), message, Optional.empty());
      }
    } catch (IOException _) {
      // what the other server sent cannot be read: as if it had sent nothing
    }
    return noReply(pending);
  }

  /** EDNS options are between two neighbours (RFC 6891 6.2.6): the client's stay here. */
  private static byte[] withoutOptions(Pending pending) {
    var opt = pending.query().getOPT();
    if (opt == null || opt.getOptions().isEmpty()) {
      return pending.octets();
    }
    var query = pending.query().clone();
    query.removeRecord(opt, Section.ADDITIONAL);
    query.addRecord(
        new OPTRecord(opt.getPayloadSize(), 0, opt.getVersion(), opt.getFlags()),
        Section.ADDITIONAL);
    return query.toWire();
  }

  /** What another server sent; truncated where the client takes less. */
  private byte[] fitting(byte[] reply, Pending pending) {
    if (reply.length <= limit(pending.query(), pending.transport())) {
      return reply;
    }
    var message = answer(pending.query(), reply[3] & 0xf);
    message.getHeader().setFlag(Flags.TC);
    return finish(pending.query(), pending.transport(), message, Optional.empty());
  }

  private byte[] noReply(Pending pending) {
    return finish(
        pending.query(),
        pending.transport(),
        answer(pending.query(), Rcode.SERVFAIL),
        Optional.of(
            new ExtendedErrorCodeOption(
                ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY, "no upstream server answered")));
  }

  private Reply unsynchronised(Message query, Transport transport) {
    return new Reply.Send(
        finish(
            query,
            transport,
            answer(query, Rcode.SERVFAIL),
            Optional.of(
                new ExtendedErrorCodeOption(
                    ExtendedErrorCodeOption.NOT_READY, "the log was not read to its end yet"))));
  }

  /**
   * Exactly one question (RFC 9619), nothing evaluated that a query may not hold, at most one OPT,
   * of the root (RFC 6891 6.1).
   */
  private static boolean wellFormed(Message query) {
    var header = query.getHeader();
    if (header.getCount(Section.QUESTION) != 1
        || header.getCount(Section.ANSWER) != 0
        || header.getCount(Section.AUTHORITY) != 0) {
      return false;
    }
    var opts =
        query.getSection(Section.ADDITIONAL).stream().filter(r -> r.getType() == Type.OPT).toList();
    return opts.size() <= 1 && opts.stream().allMatch(opt -> opt.getName().equals(Name.root));
  }

  private static boolean isTransfer(int type) {
    return type == Type.AXFR || type == Type.IXFR || type == Type.MAILA || type == Type.MAILB;
  }

  private Message answer(Message query, int rcode) {
    var message = new Message(query.getHeader().getID());
    var header = message.getHeader();
    header.setFlag(Flags.QR);
    header.setOpcode(query.getHeader().getOpcode());
    if (query.getHeader().getFlag(Flags.RD)) {
      header.setFlag(Flags.RD);
    }
    if (upstream.isPresent()) {
      header.setFlag(Flags.RA);
    }
    header.setRcode(rcode & 0xf);
    message.addRecord(query.getQuestion(), Section.QUESTION);
    if (rcode > 0xf) {
      message.addRecord(new OPTRecord(UDP_PAYLOAD, rcode >> 4, 0), Section.ADDITIONAL);
    }
    return message;
  }

  /** Adds OPT where the query had one, and renders within what the client takes. */
  private static byte[] finish(
      Message query,
      Transport transport,
      Message message,
      Optional<ExtendedErrorCodeOption> extendedError) {
    var opt = Optional.ofNullable(query.getOPT());
    if (opt.isPresent() && message.getOPT() == null) {
      message.addRecord(
          new OPTRecord(
              UDP_PAYLOAD,
              0,
              0,
              0,
              extendedError.<List<org.xbill.DNS.EDNSOption>>map(List::of).orElse(List.of())),
          Section.ADDITIONAL);
    }
    return message.toWire(limit(query, transport));
  }

  /** How long an answer may be. */
  private static int limit(Message query, Transport transport) {
    return switch (transport) {
      case TCP -> TCP_MAXIMUM;
      case UDP ->
          Optional.ofNullable(query.getOPT())
              .map(opt -> Math.clamp(opt.getPayloadSize(), UDP_MINIMUM, UDP_PAYLOAD))
              .orElse(UDP_MINIMUM);
    };
  }

  /** Addresses for the targets of SRV records, so that clients need not ask again. */
  private static List<Record> glue(Zone zone, List<Record> records) {
    var glue = new ArrayList<Record>();
    records.stream()
        .filter(SRVRecord.class::isInstance)
        .map(r -> ((SRVRecord) r).getTarget())
        .distinct()
        .forEach(target -> {
          for (var type : List.of(DnsType.A, DnsType.AAAA)) {
            if (zone.lookup(target.toString(), type) instanceof Answer.Served served) {
              glue.addAll(Records.all(target, served.records()));
            }
          }
        });
    return glue;
  }

  /**
   * Addresses in a new order for each answer: many clients take the first. What leads to them stays
   * before them.
   */
  private static List<Record> shuffled(List<Record> records) {
    int first = 0;
    while (first < records.size() && records.get(first).getType() == Type.CNAME) {
      first++;
    }
    var order = new ArrayList<>(records);
    Collections.shuffle(
        order.subList(first, order.size()), java.util.concurrent.ThreadLocalRandom.current());
    return order;
  }

  /**
   * SERVFAIL for a query that this server itself fails over; made of octets only, as what failed
   * may be the making of a message. With the question where it is plain to see: many clients pass
   * over answers without.
   *
   * @param octets a query that {@link #respond} did not drop
   */
  public static byte[] failure(byte[] octets) {
    int end = questionEnd(octets);
    var reply = Arrays.copyOf(octets, end);
    reply[2] = (byte) (octets[2] & 0x79 | 0x80); // QR, opcode and RD
    reply[3] = Rcode.SERVFAIL;
    Arrays.fill(reply, 4, HEADER_LENGTH, (byte) 0);
    reply[5] = (byte) (end > HEADER_LENGTH ? 1 : 0);
    return reply;
  }

  /** Where the only question ends; where there is none, or another number of them, the header. */
  private static int questionEnd(byte[] octets) {
    if (octets[4] != 0 || octets[5] != 1) {
      return HEADER_LENGTH;
    }
    int at = HEADER_LENGTH;
    while (at < octets.length && octets[at] > 0 && octets[at] < 64) {
      at += octets[at] + 1;
    }
    boolean whole = at < octets.length - 4 && octets[at] == 0;
    return whole ? at + 5 : HEADER_LENGTH;
  }

  /** Only a header: for queries whose question cannot be echoed. */
  private static byte[] headerOnly(byte[] octets, int rcode) {
    try {
      var header = new Header(octets);
      var reply = new Header(header.getID());
      reply.setFlag(Flags.QR);
      reply.setOpcode(header.getOpcode());
      if (header.getFlag(Flags.RD)) {
        reply.setFlag(Flags.RD);
      }
      reply.setRcode(rcode);
      return reply.toWire();
    } catch (IOException e) {
      throw new IllegalStateException("twelve octets are a header", e);
    }
  }
}
