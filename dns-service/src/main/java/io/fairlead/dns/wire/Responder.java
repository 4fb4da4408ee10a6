package io.fairlead.dns.wire;

import io.fairlead.core.dns.Answer;
import io.fairlead.core.dns.DnsType;
import io.fairlead.core.dns.Zone;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
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

  private final Supplier<Optional<Zone>> zone;
  private final Optional<Upstream> upstream;

  /**
   * @param zone empty = not synchronised yet: names of the zones may exist, so nothing is denied
   * @param upstream empty = names of other zones are refused
   */
  public Responder(Supplier<Optional<Zone>> zone, Optional<Upstream> upstream) {
    this.zone = zone;
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
    return zone.get()
        .map(current -> fromZone(current, query, octets, transport))
        .orElseGet(() -> unsynchronised(query, transport));
  }

  private Reply fromZone(Zone current, Message query, byte[] octets, Transport transport) {
    var question = query.getQuestion();
    return switch (current.lookup(
        question.getName().toString(), Records.type(question.getType()))) {
      case Answer.NotServed _ ->
          upstream.isPresent() && query.getHeader().getFlag(Flags.RD)
              ? new Reply.Elsewhere(
                  new Pending(query, octets, transport, List.of(), question.getName()))
              : new Reply.Send(
                  finish(query, transport, answer(query, Rcode.REFUSED), Optional.empty()));
      case Answer.Served served -> {
        var records = shuffled(Records.all(question.getName(), served.records()));
        if (served.unresolved().isPresent() && upstream.isPresent()) {
          yield new Reply.Elsewhere(
              new Pending(
                  query, octets, transport, records, Records.name(served.unresolved().get())));
        }
        var message =
            answer(
                query,
                served.outcome() == Answer.Outcome.NAME_ERROR ? Rcode.NXDOMAIN : Rcode.NOERROR);
        message.getHeader().setFlag(Flags.AA);
        records.forEach(r -> message.addRecord(r, Section.ANSWER));
        served.authority().ifPresent(soa -> message.addRecord(Records.of(soa), Section.AUTHORITY));
        glue(current, records).forEach(r -> message.addRecord(r, Section.ADDITIONAL));
        yield new Reply.Send(finish(query, transport, message, Optional.empty()));
      }
    };
  }

  /** Asks the other servers. Blocks as long as they are given. */
  public byte[] resolve(Pending pending) {
    var other = upstream.orElseThrow();
    if (pending.ours().isEmpty()) {
      return other.ask(pending.octets(), pending.transport()).orElseGet(() -> noReply(pending));
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

  private static byte[] noReply(Pending pending) {
    return finish(
        pending.query(),
        pending.transport(),
        answer(pending.query(), Rcode.SERVFAIL),
        Optional.of(
            new ExtendedErrorCodeOption(
                ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY, "no upstream server answered")));
  }

  private static Reply unsynchronised(Message query, Transport transport) {
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

  private static Message answer(Message query, int rcode) {
    var message = new Message(query.getHeader().getID());
    var header = message.getHeader();
    header.setFlag(Flags.QR);
    header.setOpcode(query.getHeader().getOpcode());
    if (query.getHeader().getFlag(Flags.RD)) {
      header.setFlag(Flags.RD);
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
    int limit =
        switch (transport) {
          case TCP -> TCP_MAXIMUM;
          case UDP ->
              opt.map(o -> Math.clamp(o.getPayloadSize(), UDP_MINIMUM, UDP_PAYLOAD))
                  .orElse(UDP_MINIMUM);
        };
    return message.toWire(limit);
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
