using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>Receipts in answers (docs/language-models.md, "Receipts").</summary>
internal static class ReceiptFields
{
    /// <summary><c>og_receipt</c>: the receipt of a whole answer.</summary>
    public static void WriteReceipt(Utf8JsonWriter json, GenerationHead head, ReceiptStage stage)
    {
        json.WriteStartObject("og_receipt");
        json.WriteString("id", head.ReceiptId.ToString());
        json.WriteString("stage", stage.Text());
        WriteRest(json, head);
    }

    /// <summary><c>og_head</c>: the receipt of the answer so far. The host does not keep it, so that a stream that is cut is proven by what its reader has.</summary>
    public static void WriteHead(Utf8JsonWriter json, GenerationHead head)
    {
        json.WriteStartObject("og_head");
        json.WriteString("id", head.ReceiptId.ToString());
        WriteRest(json, head);
    }

    /// <summary>The head that commits to the whole answer; null where the host gives no receipts.</summary>
    public static GenerationHead? Last(GenerationResult result) => result.Heads is [.., var last] ? last : null;

    private static void WriteRest(Utf8JsonWriter json, GenerationHead head)
    {
        json.WriteNumber("tokens", head.Tokens);
        json.WriteBase64String("receipt", head.Receipt.Encode());
        json.WriteEndObject();
    }
}
