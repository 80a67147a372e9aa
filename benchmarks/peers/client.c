/* The C client (librabbitmq), as fast as it goes: what the broker and the wire allow.
 *
 * client publish HOST PORT VHOST EXCHANGE KEY COUNT WARM BODY   pipelined confirms, mandatory, persistent
 * client alike   (the same)                                     its messages have this library's headers and properties
 * client hand_off HOST PORT VHOST EVENTS TASKS HEAD TAIL        consume, publish confirmed, one ack a batch, for ever
 *
 * publish says "ready" when it has warmed up, waits for a line, and says {} when all is confirmed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

#define WINDOW 1000
#define BATCH 100
#define PREFETCH 200
#define ID "00000000-0000-0000-0000-"

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void check(amqp_connection_state_t c, const char *what) {
    if (amqp_get_rpc_reply(c).reply_type != AMQP_RESPONSE_NORMAL) fail(what);
}

static amqp_connection_state_t open_connection(char **argv) {
    amqp_connection_state_t c = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(c);
    if (!socket || amqp_socket_open(socket, argv[2], atoi(argv[3]))) fail("no connection");
    if (amqp_login(c, argv[4], 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest").reply_type !=
        AMQP_RESPONSE_NORMAL)
        fail("no login");
    amqp_channel_open(c, 1);
    check(c, "no channel");
    return c;
}

/* Confirms: those up to `confirmed` have all come. A ring of flags for those that came early. */
static uint64_t confirmed;
static unsigned char early[WINDOW * 4];

static void on_confirm(amqp_basic_ack_t *ack) {
    if (ack->multiple) {
        for (uint64_t tag = confirmed + 1; tag <= ack->delivery_tag; tag++) early[tag % sizeof early] = 0;
        if (ack->delivery_tag > confirmed) confirmed = ack->delivery_tag;
    } else {
        early[ack->delivery_tag % sizeof early] = 1;
    }
    while (early[(confirmed + 1) % sizeof early]) early[++confirmed % sizeof early] = 0;
}

static void wait_confirm(amqp_connection_state_t c) {
    amqp_frame_t frame;
    amqp_maybe_release_buffers(c);
    if (amqp_simple_wait_frame(c, &frame) != AMQP_STATUS_OK) fail("connection lost");
    if (frame.frame_type != AMQP_FRAME_METHOD) fail("not a method");
    if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD) fail("returned, refused, or closed");
    on_confirm(frame.payload.method.decoded);
}

static uint64_t written;

static void publish(amqp_connection_state_t c, amqp_bytes_t exchange, amqp_bytes_t key,
                    const amqp_basic_properties_t *properties, amqp_bytes_t body) {
    if (amqp_basic_publish(c, 1, exchange, key, 1, 0, properties, body) != AMQP_STATUS_OK) fail("not written");
    written++;
}

static amqp_basic_properties_t persistent(void) {
    amqp_basic_properties_t p = {0};
    p._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
    p.content_type = amqp_cstring_bytes("application/json");
    p.content_encoding = amqp_cstring_bytes("utf-8");
    p.delivery_mode = 2;
    return p;
}

static void text(amqp_table_entry_t *entry, const char *name, const char *value) {
    entry->key = amqp_cstring_bytes(name);
    entry->value.kind = AMQP_FIELD_KIND_UTF8;
    entry->value.value.bytes = amqp_cstring_bytes(value);
}

static amqp_basic_properties_t ours(void) {
    static amqp_table_entry_t headers[8];
    const char *id = "00000000-0000-0000-0000-000000000000", *key = "bench.matches.published";
    amqp_basic_properties_t p = persistent();
    text(&headers[0], "ce-specversion", "1.0");
    text(&headers[1], "ce-id", id);
    text(&headers[2], "ce-source", "bench");
    text(&headers[3], "ce-type", key);
    text(&headers[4], "ce-time", "2026-03-08T18:00:00.123456+00:00");
    text(&headers[5], "ce-correlationid", id);
    text(&headers[6], "ce-dataschema", "urn:typed-pubsub:bench.matches.published:1");
    text(&headers[7], "ce-schemaversion", "1");
    p.headers.num_entries = 8;
    p.headers.entries = headers;
    p.message_id = p.correlation_id = amqp_cstring_bytes(id);
    p.type = amqp_cstring_bytes(key);
    p.app_id = amqp_cstring_bytes("bench");
    p.timestamp = 1772992800;
    p._flags |= AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG |
                AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_APP_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;
    return p;
}

static void publish_all(amqp_connection_state_t c, char **argv, uint64_t first, uint64_t count) {
    amqp_bytes_t exchange = amqp_cstring_bytes(argv[5]), key = amqp_cstring_bytes(argv[6]);
    amqp_bytes_t body = amqp_cstring_bytes(argv[9]);
    amqp_basic_properties_t properties = strcmp(argv[1], "alike") ? persistent() : ours();
    char *id = strstr(argv[9], ID), digits[13];
    if (!id) fail("no id in the body");
    for (uint64_t number = first; number < first + count; number++) {
        snprintf(digits, sizeof digits, "%012llx", (unsigned long long)number);
        memcpy(id + strlen(ID), digits, 12);
        publish(c, exchange, key, &properties, body);
        while (written - confirmed >= WINDOW) wait_confirm(c);
    }
    while (confirmed < written) wait_confirm(c);
}

static void publishing(char **argv) {
    char line[16];
    amqp_connection_state_t c = open_connection(argv);
    amqp_confirm_select(c, 1);
    check(c, "no confirms");
    publish_all(c, argv, 1ULL << 40, strtoull(argv[8], NULL, 10));
    puts("ready");
    if (!fgets(line, sizeof line, stdin)) exit(0);
    publish_all(c, argv, 0, strtoull(argv[7], NULL, 10));
    puts("{}");
    if (!fgets(line, sizeof line, stdin)) exit(0);
}

/* The deliveries that are there, at most a batch; the first is waited for. */
static uint64_t take(amqp_connection_state_t in, amqp_connection_state_t out, char **argv) {
    static amqp_table_entry_t headers[8];
    static char body[1 << 20];
    amqp_basic_properties_t properties = persistent();
    struct timeval forever = {3600, 0}, now = {0, 0};
    size_t head = strlen(argv[7]), tail = strlen(argv[8]);
    uint64_t tag = 0;
    text(&headers[0], "lang", "py");
    text(&headers[1], "task", "bench.tasks.execute");
    text(&headers[2], "id", "00000000000000000000000000000000-000");
    text(&headers[3], "root_id", "00000000000000000000000000000000-000");
    text(&headers[4], "argsrepr", "(UUID('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'),)");
    text(&headers[5], "kwargsrepr", "{'title': 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'}");
    text(&headers[6], "origin", "gen1234@hostname");
    text(&headers[7], "padding", "all the headers of Celery's that are None or a number, about as many bytes as these are");
    properties._flags |= AMQP_BASIC_HEADERS_FLAG;
    properties.headers.num_entries = 8;
    properties.headers.entries = headers;
    for (int taken = 0; taken < BATCH; taken++) {
        amqp_envelope_t envelope;
        amqp_maybe_release_buffers(in);
        amqp_rpc_reply_t reply = amqp_consume_message(in, &envelope, taken ? &now : &forever, 0);
        if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
            if (reply.library_error == AMQP_STATUS_TIMEOUT) break;
            fail("connection lost");
        }
        if (head + envelope.message.body.len + tail > sizeof body) fail("too large");
        memcpy(body, argv[7], head);
        memcpy(body + head, envelope.message.body.bytes, envelope.message.body.len);
        memcpy(body + head + envelope.message.body.len, argv[8], tail);
        amqp_bytes_t whole = {head + envelope.message.body.len + tail, body};
        publish(out, amqp_empty_bytes, amqp_cstring_bytes(argv[6]), &properties, whole);
        tag = envelope.delivery_tag;
        amqp_destroy_envelope(&envelope);
    }
    return tag;
}

static void hand_off(char **argv) {
    amqp_connection_state_t in = open_connection(argv), out = open_connection(argv);
    amqp_confirm_select(out, 1);
    check(out, "no confirms");
    amqp_basic_qos(in, 1, 0, PREFETCH, 0);
    amqp_basic_consume(in, 1, amqp_cstring_bytes(argv[5]), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    check(in, "no consumer");
    puts("ready");
    for (;;) {
        uint64_t tag = take(in, out, argv);
        while (confirmed < written) wait_confirm(out);
        amqp_basic_ack(in, 1, tag, 1);
    }
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 10 && (!strcmp(argv[1], "publish") || !strcmp(argv[1], "alike"))) publishing(argv);
    else if (argc == 9 && !strcmp(argv[1], "hand_off")) hand_off(argv);
    else fail("usage: client publish|alike|hand_off ...");
    return 0;
}
