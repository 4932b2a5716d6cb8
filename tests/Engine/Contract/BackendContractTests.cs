namespace OpenGradient.Engine.Engine.Tests.Contract;

public sealed class OnnxServingTests : ServingContract
{
    protected override ContractSubject Subject => OnnxSubject.Instance;
}

public sealed class OnnxLoadingTests : LoadingContract
{
    protected override ContractSubject Subject => OnnxSubject.Instance;
}

public sealed class OnnxDeterminismTests : DeterminismContract
{
    protected override ContractSubject Subject => OnnxSubject.Instance;
}

public sealed class OnnxSealingTests : SealingContract
{
    protected override ContractSubject Subject => OnnxSubject.Instance;
}

[NeedsTorch]
public sealed class TorchServingTests : ServingContract
{
    protected override ContractSubject Subject => TorchSubject.Instance;
}

[NeedsTorch]
public sealed class TorchLoadingTests : LoadingContract
{
    protected override ContractSubject Subject => TorchSubject.Instance;
}

[NeedsTorch]
public sealed class TorchDeterminismTests : DeterminismContract
{
    protected override ContractSubject Subject => TorchSubject.Instance;
}

[NeedsTorch]
public sealed class TorchSealingTests : SealingContract
{
    protected override ContractSubject Subject => TorchSubject.Instance;
}

#if TORCHSHARP
public sealed class TorchSharpServingTests : ServingContract
{
    protected override ContractSubject Subject => TorchSharpSubject.Instance;
}

public sealed class TorchSharpLoadingTests : LoadingContract
{
    protected override ContractSubject Subject => TorchSharpSubject.Instance;
}

public sealed class TorchSharpDeterminismTests : DeterminismContract
{
    protected override ContractSubject Subject => TorchSharpSubject.Instance;
}

public sealed class TorchSharpSealingTests : SealingContract
{
    protected override ContractSubject Subject => TorchSharpSubject.Instance;
}
#endif
