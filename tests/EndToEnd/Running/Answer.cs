using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>One HTTP answer, read whole.</summary>
internal sealed record Answer(HttpStatusCode Status, HttpResponseHeaders Headers, byte[] Body)
{
    public int Code => (int)Status;

    public string Text => System.Text.Encoding.UTF8.GetString(Body);

    public JsonElement Json
    {
        get
        {
            using var document = JsonDocument.Parse(Body);
            return document.RootElement.Clone();
        }
    }

    /// <summary>The protocol's error text; fails when there is none.</summary>
    public string Error => Json.GetProperty("error").GetString()!;

    public string? ReceiptId => Header("OG-Receipt-Id");

    public string? Stage => Header("OG-Stage");

    public Receipt Receipt => Formats.Receipt.Decode(Json.GetProperty("parameters").GetProperty("og_receipt").GetBytesFromBase64());

    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? values.First() : null;

    public static async Task<Answer> Of(HttpResponseMessage response)
    {
        using (response) return new Answer(response.StatusCode, response.Headers, await response.Content.ReadAsByteArrayAsync());
    }

    public Answer Expect(int code)
    {
        Assert.True(Code == code, $"{Code}, not {code}: {Text}");
        return this;
    }
}
