package io.fairlead.agent.nft;

import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.Command.AddChain;
import io.fairlead.agent.ruleset.Command.AddElement;
import io.fairlead.agent.ruleset.Command.AddRule;
import io.fairlead.agent.ruleset.Command.DeleteChain;
import io.fairlead.agent.ruleset.Command.DeleteElement;
import io.fairlead.agent.ruleset.Command.DeleteSet;
import io.fairlead.agent.ruleset.Command.ElementKey;
import io.fairlead.agent.ruleset.CommandText;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.Rule;
import io.fairlead.core.model.Family;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Messages of netlink to nf_tables (linux/netfilter/nf_tables.h): the transactions that come often,
 * and requests to read. Numbers in headers are in the host's byte order, those in attributes big
 * endian. Pure.
 */
final class NftMessages {
  static final short NEW_CHAIN = 3;
  static final short GET_CHAIN = 4;
  static final short DELETE_CHAIN = 5;
  static final short NEW_RULE = 6;
  static final short GET_RULE = 7;
  static final short GET_TABLE = 1;
  static final short GET_SET = 10;
  static final short DELETE_SET = 11;
  static final short NEW_ELEMENTS = 12;
  static final short GET_ELEMENTS = 13;
  static final short DELETE_ELEMENTS = 14;

  static final int HEADER = 20; // nlmsghdr and nfgenmsg
  private static final short SUBSYSTEM = 10 << 8; // NFNL_SUBSYS_NFTABLES
  private static final short BATCH_BEGIN = 16;
  private static final short BATCH_END = 17;
  private static final short REQUEST = 1;
  private static final short ACK = 4;
  private static final short DUMP = 0x300;
  private static final short CREATE = 0x400;
  private static final short APPEND = 0x800;
  private static final int NESTED = 0x8000;

  /** An attribute has 16 bits for its length. */
  private static final int MOST_OF_MESSAGE = 32_000;

  /** More than any element or rule of ours takes. */
  private static final int PER_ELEMENT = 320;

  private static final int PER_RULE = 1_024;

  private static final Pattern TRANSLATION =
      Pattern.compile(
          "dnat ip6? to ip6? daddr \\. (tcp|udp|sctp) dport \\. numgen (random|inc) mod (\\d+) map @(\\S+)");

  private final Family family;
  private final ByteBuffer out;
  private int sequence;
  private int lastFlagsAt;
  private int expressionData; // where that of the expression being written begins

  private NftMessages(Family family, int capacity, int sequence) {
    this.family = family;
    this.out = ByteBuffer.allocate(capacity).order(ByteOrder.nativeOrder());
    this.sequence = sequence;
  }

  /**
   * A transaction.
   *
   * @param bytes from its position to its limit
   * @param first number of its first message
   * @param last number of the message that is acknowledged
   */
  record Batch(ByteBuffer bytes, int first, int last) {}

  /**
   * Those commands as one transaction; empty where one of them is none that is known here.
   *
   * @param sequence number of the first message
   */
  static Optional<Batch> batch(Layout layout, List<Command> commands, int sequence) {
    int capacity = 4_096;
    for (var command : commands) {
      switch (command) {
        case AddElement(ElementKey(var set, _), _) when ElementFormat.of(set).isPresent() ->
            capacity += PER_ELEMENT;
        case DeleteElement(ElementKey(var set, _)) when ElementFormat.of(set).isPresent() ->
            capacity += PER_ELEMENT;
        case AddChain(_, var hook) when hook.isEmpty() -> capacity += PER_ELEMENT;
        case DeleteChain _, DeleteSet _ -> capacity += PER_ELEMENT;
        case AddRule(_, var rule) when isKnown(rule) -> capacity += PER_RULE;
        case Command.AddTable(),
            Command.DeleteTable(),
            Command.AddSet _,
            Command.FlushChain _,
            AddElement _,
            DeleteElement _,
            AddChain _,
            AddRule _ -> {
          return Optional.empty();
        }
      }
    }
    var messages = new NftMessages(layout.family(), capacity, sequence);
    messages.boundary(BATCH_BEGIN);
    for (int i = 0; i < commands.size(); ) {
      i = messages.next(commands, i);
    }
    int last = messages.sequence - 1;
    messages.out.putShort(
        messages.lastFlagsAt, (short) (messages.out.getShort(messages.lastFlagsAt) | ACK));
    messages.boundary(BATCH_END);
    return Optional.of(new Batch(messages.out.flip(), sequence, last));
  }

  private void boundary(short type) {
    int start = out.position();
    out.putInt(HEADER).putShort(type).putShort(REQUEST).putInt(sequence++).putInt(0);
    out.put((byte) 0).put((byte) 0);
    out.put((byte) 0).put((byte) (SUBSYSTEM >> 8)); // in network order
    out.putInt(start, out.position() - start);
  }

  /**
   * Writes the message of the command at that place, and of what goes into the same; the next
   * place.
   */
  private int next(List<Command> commands, int at) {
    switch (commands.get(at)) {
      case AddElement(var element, _) -> {
        return elements(commands, at, NEW_ELEMENTS, CREATE, element.set());
      }
      case DeleteElement(var element) -> {
        return elements(commands, at, DELETE_ELEMENTS, (short) 0, element.set());
      }
      case AddChain(var name, _) -> named(NEW_CHAIN, CREATE, 3, name);
      case DeleteChain(var name) -> named(DELETE_CHAIN, (short) 0, 3, name);
      case DeleteSet(var name) -> named(DELETE_SET, (short) 0, 2, name);
      case AddRule(var chain, var rule) -> rule(chain, rule);
      case Command.AddTable(), Command.DeleteTable(), Command.AddSet _, Command.FlushChain _ ->
          throw new IllegalStateException("not encoded here: " + commands.get(at));
    }
    return at + 1;
  }

  private void named(short type, short flags, int attribute, String name) {
    int start = begin(type, flags);
    text(1, CommandText.TABLE);
    text(attribute, name);
    end(start);
  }

  private int elements(List<Command> commands, int from, short type, short flags, String set) {
    var format = ElementFormat.of(set).orElseThrow();
    int start = begin(type, flags);
    text(1, CommandText.TABLE);
    text(2, set);
    int list = open(3);
    int at = from;
    while (at < commands.size() && out.position() - start < MOST_OF_MESSAGE) {
      if (commands.get(at) instanceof AddElement(var element, var value)
          && type == NEW_ELEMENTS
          && element.set().equals(set)) {
        element(format, element.key(), value);
      } else if (commands.get(at) instanceof DeleteElement(var element)
          && type == DELETE_ELEMENTS
          && element.set().equals(set)) {
        element(format, element.key(), Optional.empty());
      } else {
        break;
      }
      at++;
    }
    close(list);
    end(start);
    return at;
  }

  private void element(ElementFormat format, String key, Optional<String> value) {
    int element = open(1);
    int nested = open(1);
    int data = attribute(1);
    format.putKey(out, key, family);
    pad(data);
    close(nested);
    if (value.isPresent()) {
      nested = open(2);
      if (format.leadsToChains()) {
        var verdict = open(2);
        number(1, -4); // NFT_GOTO
        text(2, value.get().substring("goto ".length()));
        close(verdict);
      } else {
        data = attribute(1);
        format.putValue(out, value.get(), family);
        pad(data);
      }
      close(nested);
    }
    close(element);
  }

  // --- rules: what is made again and again while a plane runs

  private static boolean isKnown(Rule rule) {
    return rule.text().equals("drop")
        || rule.text().equals("meta priority set 0")
        || TRANSLATION.matcher(rule.text()).matches();
  }

  private void rule(String chain, Rule rule) {
    int start = begin(NEW_RULE, (short) (CREATE | APPEND));
    text(1, CommandText.TABLE);
    text(2, chain);
    int list = open(4);
    var translation = TRANSLATION.matcher(rule.text());
    if (translation.matches()) {
      translate(translation);
    } else if (rule.text().equals("drop")) {
      int expression = expression("immediate");
      number(1, 0); // to the verdict
      int data = open(2);
      int verdict = open(2);
      number(1, 0); // NF_DROP
      close(verdict);
      close(data);
      closeExpression(expression);
    } else {
      int expression = expression("immediate");
      number(1, 1);
      int data = open(2);
      number(1, 0);
      close(data);
      closeExpression(expression);
      expression = expression("meta");
      number(2, 2); // NFT_META_PRIORITY
      number(3, 1); // from the register
      closeExpression(expression);
    }
    close(list);
    int comment = attribute(7);
    var text = rule.fingerprint().getBytes(StandardCharsets.US_ASCII);
    out.put((byte) 0).put((byte) (text.length + 1)).put(text).put((byte) 0);
    pad(comment);
    end(start);
  }

  private void translate(Matcher rule) {
    int protocol =
        switch (rule.group(1)) {
          case "tcp" -> 6;
          case "udp" -> 17;
          default -> 132;
        };
    int words = family == Family.IPV4 ? 1 : 4; // of an address
    int expression = expression("meta");
    number(2, 16); // NFT_META_L4PROTO
    number(1, 1);
    closeExpression(expression);
    expression = expression("cmp");
    number(1, 1);
    number(2, 0); // equal
    int data = open(3);
    int value = attribute(1);
    out.put((byte) protocol);
    pad(value);
    close(data);
    closeExpression(expression);
    payload(0, 1, family == Family.IPV4 ? 16 : 24, 4 * words); // the destination
    payload(words, 2, 2, 2); // its port
    expression = expression("numgen");
    number(1, register(words + 1));
    number(2, Integer.parseInt(rule.group(3)));
    number(3, rule.group(2).equals("inc") ? 0 : 1);
    number(4, 0);
    closeExpression(expression);
    expression = expression("lookup");
    number(2, 1);
    number(3, 1);
    text(1, rule.group(4));
    number(4, 0);
    closeExpression(expression);
    expression = expression("nat");
    number(1, 1); // destination
    number(2, netfilterFamily(family));
    number(3, register(0));
    number(5, register(words));
    closeExpression(expression);
  }

  private void payload(int word, int base, int offset, int length) {
    int expression = expression("payload");
    number(1, register(word));
    number(2, base);
    number(3, offset);
    number(4, length);
    closeExpression(expression);
  }

  /** Name of the register that begins at that word: of 16 bytes where one does, else of four. */
  private static int register(int word) {
    return word % 4 == 0 ? 1 + word / 4 : 8 + word;
  }

  private int expression(String name) {
    int element = open(1);
    text(1, name);
    expressionData = open(2);
    return element;
  }

  private void closeExpression(int element) {
    close(expressionData);
    close(element);
  }

  // --- parts of messages

  private int begin(short type, short flags) {
    int start = out.position();
    lastFlagsAt = start + 6;
    header(out, family, type, (short) (REQUEST | flags), sequence++);
    return start;
  }

  private void end(int start) {
    out.putInt(start, out.position() - start);
  }

  private int attribute(int type) {
    int at = out.position();
    out.putShort((short) 0).putShort((short) type);
    return at;
  }

  private void pad(int at) {
    out.putShort(at, (short) (out.position() - at));
    while (out.position() % 4 != 0) {
      out.put((byte) 0);
    }
  }

  private int open(int type) {
    return attribute(type | NESTED);
  }

  private void close(int at) {
    out.putShort(at, (short) (out.position() - at));
  }

  private void text(int type, String text) {
    int at = attribute(type);
    out.put(text.getBytes(StandardCharsets.US_ASCII)).put((byte) 0);
    pad(at);
  }

  private void number(int type, int number) {
    int at = attribute(type);
    out.putInt(out.order() == ByteOrder.BIG_ENDIAN ? number : Integer.reverseBytes(number));
    pad(at);
  }

  private static void header(ByteBuffer out, Family family, short type, short flags, int sequence) {
    out.putInt(0).putShort((short) (SUBSYSTEM | type)).putShort(flags).putInt(sequence).putInt(0);
    out.put((byte) netfilterFamily(family)).put((byte) 0).putShort((short) 0);
  }

  private static int netfilterFamily(Family family) {
    return switch (family) { // NFPROTO_IPV4, NFPROTO_IPV6
      case IPV4 -> 2;
      case IPV6 -> 10;
    };
  }

  // --- requests

  /** Whether our table is there. */
  static ByteBuffer table(Family family, int sequence) {
    return request(family, GET_TABLE, (short) 0, sequence, Optional.empty());
  }

  /** All of a kind in our table. */
  static ByteBuffer dump(Family family, short type, int sequence) {
    return request(family, type, DUMP, sequence, Optional.empty());
  }

  /** All elements of a set. */
  static ByteBuffer elements(Family family, String set, int sequence) {
    return request(family, GET_ELEMENTS, DUMP, sequence, Optional.of(set));
  }

  private static ByteBuffer request(
      Family family, short type, short flags, int sequence, Optional<String> set) {
    var messages = new NftMessages(family, 512, sequence);
    int start = messages.begin(type, flags);
    messages.text(1, CommandText.TABLE);
    set.ifPresent(name -> messages.text(2, name));
    messages.end(start);
    return messages.out.flip();
  }
}
