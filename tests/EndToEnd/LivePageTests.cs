using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>The page at / in a real browser.</summary>
public sealed class LivePageTests(Line line) : IClassFixture<Line>
{
    private const int Receipts = 5;

    [BrowserFact]
    public async Task Page_WithReceipts_ShowsThemAndVerifiesAProofWithoutLeavingItsOrigin()
    {
        for (var i = 0; i < Receipts; i++) (await line.Host.Infer("digits", Inputs.Digit(i), i == Receipts - 1 ? "final" : "durable")).Expect(200);
        await using var page = await Chromium.Open(line.Host.Url);
        await page.Until("document.body.dataset.connection === 'live'");
        await page.Until($"document.querySelector('[data-stage=final]').textContent === '{Receipts}'");
        await page.Until($"document.querySelector('#total').textContent === '{Receipts}'");
        await page.Until("document.querySelectorAll('#receipts tr[data-leaf]').length > 0");
        await page.Until("document.querySelector('#chain-condition').textContent === 'in step'"); // a node that was slow for a moment is named for one look
        Assert.Equal("false", await page.Evaluate("document.querySelector('#evidence-badge').dataset.trusted"));
        Assert.Contains("NOT trusted", await page.Evaluate("document.querySelector('#evidence-badge').textContent"));
        Assert.Matches(@"\d", await page.Evaluate("document.querySelector('#gap-p50').textContent"));

        Assert.Equal("99% final within 10 s", await page.Evaluate("document.querySelector('#objective-words').textContent"));
        Assert.Matches(@"^\d.*×$", await page.Evaluate("document.querySelector('#burn-5m').textContent"));
        Assert.Contains("10,000,000 open", await page.Evaluate("document.querySelector('#bound-words').textContent"));
        Assert.Contains("at the bound: refuse", await page.Evaluate("document.querySelector('#bound-state').textContent"));
        Assert.Matches("age [1-9].*last: age; rule: age", await page.Evaluate("document.querySelector('#close-reasons').textContent"));
        Assert.Equal("digits", await page.Evaluate("document.querySelector('#by-model tr th').textContent"));
        Assert.Matches(@"\d", await page.Evaluate("document.querySelector('#by-model tr td:nth-child(4)').textContent"));

        await page.Evaluate("document.querySelector('#receipts tr[data-leaf]').click()");
        await page.Until("document.querySelector('#proof').open && document.querySelector('#proof-stage').textContent === 'final'");
        await page.Evaluate("document.querySelector('#proof-verify').click()");
        await page.Until("document.querySelector('#proof-verdict').dataset.verdict === 'match'");
        Assert.Contains("the statement is in the log", await page.Evaluate("document.querySelector('#proof-verdict').textContent"));

        var screenshot = Path.Combine(AppContext.BaseDirectory, "live-page.png");
        await page.Screenshot(screenshot);
        Assert.True(new FileInfo(screenshot).Length > 10_000, "the screenshot is empty");
        Assert.Empty(page.Complaints);
        Assert.NotEmpty(page.Requests);
        Assert.All(page.Requests, url => Assert.True(url.StartsWith(line.Host.Url, StringComparison.Ordinal) || url.StartsWith("data:", StringComparison.Ordinal), $"the page asked for {url}"));
    }

    [BrowserFact]
    public async Task Page_AskedInThePanel_StreamsAnAnswerAndShowsItsReceiptBecomeFinal()
    {
        await using var page = await Chromium.Open(line.Host.Url);
        await page.Until("!document.querySelector('#chat').hidden");
        Assert.Contains("scripture", await page.Evaluate("document.querySelector('#chat-model').textContent"));
        // How soon the model draws its end is chance: it is to write on behind it.
        await page.Evaluate("(() => { const plain = window.fetch; window.fetch = (url, options) => plain(url, options?.body ? { ...options, body: JSON.stringify({ ...JSON.parse(options.body), ignore_eos: true }) } : options); })()");
        // Counts how often the answer grows: a stream grows in pieces.
        await page.Evaluate("(() => { window.grown = 0; new MutationObserver(() => window.grown++).observe(document.querySelector('#chat-answer'), { childList: true }); })()");
        await page.Evaluate("(() => { document.querySelector('#chat-prompt').value = 'And it came to pass'; document.querySelector('#chat-send').click(); })()");
        await page.Until("document.querySelector('#chat-stage').textContent === 'final'");
        Assert.True((await page.Evaluate("document.querySelector('#chat-answer').textContent"))!.Length > 20);
        Assert.True(int.Parse((await page.Evaluate("window.grown"))!) > 1, "the answer came in one piece");
        Assert.Matches("^[0-9a-f]{32}$", await page.Evaluate("document.querySelector('#chat-receipt').textContent"));
        Assert.Equal("5", await page.Evaluate("document.querySelectorAll('#chat-times .reached').length"));
        Assert.Equal("true", await page.Evaluate("String(document.querySelector('#chat-problem').hidden)"));
        Assert.True(page.Complaints.Count == 0, string.Join('\n', page.Complaints));
    }

    [BrowserFact]
    public async Task Page_OfALeafThatIsUnknown_SaysSo()
    {
        await using var page = await Chromium.Open(line.Host.Url + "#leaf=" + new string('0', 64));
        await page.Until("document.querySelector('#proof').open && !document.querySelector('#proof-problem').hidden");
        Assert.NotEmpty((await page.Evaluate("document.querySelector('#proof-problem').textContent"))!);
    }

    [ChainFact]
    public async Task Overview_AndPage_ShowNoReceiptId()
    {
        var id = (await line.Host.Infer("digits", Inputs.Digit(0), "durable")).Expect(200).ReceiptId!;
        Assert.DoesNotContain(id, (await line.Host.Get("v1/overview")).Text);
        foreach (var receipt in (await line.Host.Overview()).GetProperty("receipts").EnumerateArray())
            Assert.DoesNotContain(id, (await line.Host.Get($"v1/leaves/{receipt.GetProperty("leaf").GetString()}")).Expect(200).Text);
        var page = (await line.Host.Get("")).Expect(200);
        Assert.Contains("default-src 'none'", page.Header("Content-Security-Policy"));
    }
}
