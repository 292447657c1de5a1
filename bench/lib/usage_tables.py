"""Exports of short rows, as their sources write them: what a reader of them does per row is then all that it does.

Each maker takes the row's number and a random generator, and gives the row and its counts: uncached input, cache write,
cache read, output. The traces are in the order of their times, as the published ones are.
"""


def azure(number, chance):
    counts = [1 + chance.randrange(7_000), 0, 0, chance.randrange(600)]
    return (f"2023-11-{16 + number // 86_400_000:02} {number // 3_600_000 % 24:02}:{number // 60_000 % 60:02}:"
            f"{number // 1_000 % 60:02}.{number % 1_000 * 10_000 + chance.randrange(10_000):07},{counts[0]},{counts[3]}"), counts


def burstgpt(number, chance):
    counts = [1 + chance.randrange(3_000), 0, 0, chance.randrange(800)]
    return (f"{number // 4}.0,{number // 5},{chance.randrange(60)}.{chance.randrange(1_000)},"
            f"{'ChatGPT' if number % 4 else 'GPT-4'},{counts[0]},{counts[3]},{counts[0] + counts[3]},"
            f"{'API log' if number % 3 else 'Conversation log'}"), counts


def cursor(number, chance):
    counts = [1 + chance.randrange(3_000), chance.randrange(200_000), chance.randrange(2_000_000), chance.randrange(20_000)]
    return (f"2025-08-{1 + number // 60_000 % 28:02}T{number // 3_600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}."
            f"{chance.randrange(1_000):03}Z,Included,claude-4.5-sonnet,No,{counts[1]},{counts[0]},{counts[2]},{counts[3]},"
            f"{sum(counts)},0.{chance.randrange(100):02}"), counts


def copilot(number, chance):
    counts = [1 + chance.randrange(2_000), chance.randrange(40_000), chance.randrange(300_000), chance.randrange(9_000)]
    credits = chance.random() * 20
    return (f"2026-08-{1 + number % 28:02},user{number % 500},copilot,copilot_ai_credit,Claude Haiku 4.5,{credits:.6f},"
            f"ai-credits,0.01,{credits / 100:.8f},{credits / 100:.8f},0,1900,org,repo{number // 14_000},Control Rooms,0,0,"
            f"{counts[0]},{counts[3]},{counts[2]},{counts[1]}"), counts


CUR_TYPES = ("BoxUsage:t3.micro", "USE1-Claude4Sonnet-input-tokens", "USE1-Claude4Sonnet-cache-write-input-token-count",
             "USE1-Claude4Sonnet-cache-read-input-token-count", "USE1-Claude4Sonnet-output-tokens")


def aws_cur(number, chance):
    of, counts, thousands = number % len(CUR_TYPES), [0, 0, 0, 0], chance.randrange(1, 100_000)
    if of > 0:
        counts[of - 1] = thousands
    start = f"2026-08-{1 + number // 24 % 28:02}T{number % 24:02}:00:00Z"
    end = f"2026-08-{1 + (number + 1) // 24 % 28:02}T{(number + 1) % 24:02}:00:00Z" if number % 672 != 671 else \
        "2026-08-29T00:00:00Z"
    return (f"{chance.getrandbits(128):032x},{start}/{end},111111111111,222222222222,Usage,{start},{end},AmazonBedrock,"
            f"{CUR_TYPES[of]},Invoke,arn:aws:x:{number // 672},{thousands / 1000:.3f},USD,{chance.random():.10f},"
            f"use of {CUR_TYPES[of]},Amazon Bedrock,us-east-1,{'1K tokens' if of else 'Hrs'}"), counts


TABLES = {
    "azure-trace": ("TIMESTAMP,ContextTokens,GeneratedTokens", azure),
    "burstgpt-trace": ("Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type",
                       burstgpt),
    "cursor": ("Date,Kind,Model,Max Mode,Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,"
               "Total Tokens,Cost", cursor),
    "copilot": ("date,username,product,sku,model,quantity,unit_type,applied_cost_per_quantity,gross_amount,discount_amount,"
                "net_amount,total_monthly_quota,organization,repository,cost_center_name,aic_quantity,aic_gross_amount,"
                "input,output,cache_read,cache_write", copilot),
    "aws-cur": ("identity/LineItemId,identity/TimeInterval,bill/PayerAccountId,lineItem/UsageAccountId,"
                "lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ProductCode,"
                "lineItem/UsageType,lineItem/Operation,lineItem/ResourceId,lineItem/UsageAmount,lineItem/CurrencyCode,"
                "lineItem/UnblendedCost,lineItem/LineItemDescription,product/ProductName,product/region,pricing/unit",
                aws_cur),
}


def write_rows(stream, name, numbers, chance):
    """The rows of these numbers; the totals that a reader must find."""
    header, make = TABLES[name]
    stream.write(header + "\n")
    totals = [0, 0, 0, 0]
    for number in numbers:
        row, counts = make(number, chance)
        totals = [a + b for a, b in zip(totals, counts)]
        stream.write(row + "\n")
    return totals


def write(stream, name, size, chance):
    """Rows of a table up to `size` bytes; the totals that a reader must find."""
    header, make = TABLES[name]
    stream.write(header + "\n")
    totals, number, written = [0, 0, 0, 0], 0, len(header) + 1
    while written < size:
        row, counts = make(number, chance)
        number += 1
        totals = [a + b for a, b in zip(totals, counts)]
        written += stream.write(row + "\n")
    return totals
